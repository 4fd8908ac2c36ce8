/* What scores of answers say: drawn from what was measured with real engines (docs/AUDITS.md "Figures", "The
 * statistic"). Where nothing was measured it says so. */
#include "sim/network.h"

#include <math.h>

/* Ratios of honest answers, for each token: normal with the variance v and the mean -v/2, so that the mean of
 * exp(ratio) is 1. v is twice the means of docs/AUDITS.md "Figures" by token: at 0.7 of Qwen 0.5B (240 tokens; -0.88,
 * -3.78 and -2.77 an answer of 48) and SmolLM2 (209 tokens) together, at 1.2 of SmolLM2 (230 tokens); 0.3, which was
 * not measured, as 0.7. At 0 the first ratio is -40 of 48 tokens and decides alone. */
struct honest {
    double flatter, flattest, sharper; /* variances */
};
static const struct honest honest_of[NET_TEMPERATURES] = {
    {0, 0, 0},
    {0.036, 0.172, 0.160},
    {0.036, 0.172, 0.160},
    {0.021, 0.107, 0.187},
};
#define HONEST_AT_0 (-0.84)
#define HONEST_FAR (1.0 / 56356.0) /* one far token of 56,356 honest ones */
/* What a token adds to the ratio `far`: docs/AUDITS.md "The statistic". */
#define FAR_TOKEN 5.2983
#define NEAR_TOKEN (-0.0201)

/* Qwen 0.5B as 1.5B at 0.7 (5 answers, 206 tokens): by token +0.044, +0.055, -0.195, and 5.83% far. At 0 impostors miss
 * the largest logit by more than 1 at 20 to 99% of tokens: the least of it. */
#define SMALLER_FLATTER 0.044
#define SMALLER_FLATTEST 0.055
#define SMALLER_SHARPER (-0.195)
#define SMALLER_FAR 0.0583
#define SMALLER_FAR_AT_0 0.20
/* Of impostors 2 to 73% of the tokens are far: words at random are at the upper end; text told letter by letter, which
 * was not measured, in the middle. */
#define RANDOM_FAR 0.70
#define LETTERS_FAR 0.35

static double normal(struct net_world *world) {
    return sqrt(-2.0 * log(net_random(world))) * cos(2.0 * 3.14159265358979 * net_random(world));
}

static double far_ratio(struct net_world *world, uint32_t tokens, double share) {
    uint32_t far = 0;
    for (uint32_t i = 0; i < tokens; i++) {
        far += net_chance(world, share);
    }
    return far * FAR_TOKEN + (tokens - far) * NEAR_TOKEN;
}

/* The three tilted ratios of one text move together: what is flatter is also much flatter, and less sharp. */
static void draw_tilted(struct net_world *world, const struct net_answer *answer, double ratios[CORE_AUDIT_SUMS]) {
    const struct honest *honest = &honest_of[answer->temperature];
    const bool smaller = answer->how == NET_SMALLER || answer->how == NET_TENTH;
    const double n = answer->tokens, root = sqrt(n), one = normal(world), other = normal(world);
    if (answer->temperature == 0) {
        ratios[0] = smaller ? 0 : HONEST_AT_0 * n;
        ratios[1] = ratios[2] = 0;
        return;
    }
    ratios[0] = n * (smaller ? SMALLER_FLATTER : -honest->flatter / 2) + root * sqrt(honest->flatter) * one;
    ratios[1] = n * (smaller ? SMALLER_FLATTEST : -honest->flattest / 2) + root * sqrt(honest->flattest) * one;
    ratios[2] = n * (smaller ? SMALLER_SHARPER : -honest->sharper / 2) -
                root * sqrt(honest->sharper) * (0.8 * one + 0.6 * other);
}

struct core_audit_found net_score_draw(struct net_world *world, const struct net_answer *answer) {
    struct core_audit_found found = {.tokens = answer->tokens, .contradicts = answer->contradicts};
    draw_tilted(world, answer, found.ratios);
    double far = HONEST_FAR;
    if (answer->how == NET_SMALLER || answer->how == NET_TENTH) {
        far = answer->temperature == 0 ? SMALLER_FAR_AT_0 : SMALLER_FAR;
    } else if (answer->how == NET_RANDOM || answer->how == NET_COLLUDING) {
        far = RANDOM_FAR;
    } else if (answer->how == NET_INFLATED) {
        far = LETTERS_FAR;
    }
    found.ratios[3] = far_ratio(world, answer->tokens, far);
    return found;
}
