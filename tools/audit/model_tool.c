/* What the measurements of tools/audit need of a model's file beside an engine; measure.py compiles it.
 *   model_tool quantise IN OUT   another, coarser quantisation (Q3_K_M) of the same model
 *   model_tool tokens MODEL      the numbers of the tokens of the text on stdin */
#include <llama.h>
#include <stdio.h>
#include <string.h>

static int quantise(const char *in, const char *out) {
    struct llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype = LLAMA_FTYPE_MOSTLY_Q3_K_M;
    params.allow_requantize = true;
    params.nthread = 1;
    return llama_model_quantize(in, out, &params) == 0 ? 0 : 1;
}

static int tokens(const char *path) {
    static char text[1 << 16];
    static llama_token ids[1 << 16];
    const size_t length = fread(text, 1, sizeof(text), stdin);
    struct llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    struct llama_model *model = llama_model_load_from_file(path, params);
    if (model == NULL) {
        return 1;
    }
    const int count =
        llama_tokenize(llama_model_get_vocab(model), text, (int)length, ids, (int)sizeof(ids) / 4, false, false);
    for (int i = 0; i < count; i++) {
        printf("%d\n", ids[i]);
    }
    llama_model_free(model);
    return count >= 0 ? 0 : 1;
}

int main(int count, char **words) {
    ggml_backend_load_all();
    if (count == 4 && strcmp(words[1], "quantise") == 0) {
        return quantise(words[2], words[3]);
    }
    if (count == 3 && strcmp(words[1], "tokens") == 0) {
        return tokens(words[2]);
    }
    fputs("usage: model_tool quantise IN OUT | model_tool tokens MODEL\n", stderr);
    return 2;
}
