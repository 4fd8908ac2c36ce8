#include "engine/llama_child/model.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/str.h"
#include "engine/llama_child/sandbox.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MODEL_WARM_UP_TOKENS = 16,
    MODEL_OUTPUTS_MIN = 16,    /* scores ask for many at once */
    MODEL_FLASH_HEAD_MIN = 64, /* below, llama.cpp's flash attention is 2 to 3 times slower than the plain one (CPU) */
    MODEL_CACHE_BYTES = 2,     /* of one number in the KV cache: f16 */
    MODEL_THREAD_BYTES = 16 * 1024 * 1024,
    MODEL_COUNTED_MAX = 1024 * 1024, /* a chat of more tokens than this is only estimated */
};

/* On top of what a model is planned to need: libraries, its vocabulary, requests on their way. And twice its weights,
 * since ggml may lay them out anew for the processor. */
#define MODEL_MARGIN_BYTES (UINT64_C(512) * 1024 * 1024)
/* While the file is read nothing is planned yet, but it will not be more than is allowed. */
#define MODEL_LOADING_BYTES (UINT64_C(1536) * 1024 * 1024)

static void on_llama_log(enum ggml_log_level level, const char *text, void *user_data) {
    struct model_log *log = user_data;
    if (level != GGML_LOG_LEVEL_ERROR) {
        return;
    }
    char line[MODEL_REASON_MAX];
    str_copy(line, sizeof(line), (struct str){text, strcspn(text, "\r\n")});
    LOG_ERROR_EVENT("llama.log", LOG_TEXT("message", line));
    pthread_mutex_lock(&log->lock);
    if (log->first_error[0] == '\0') {
        str_copy(log->first_error, sizeof(log->first_error), str_from(line));
    }
    pthread_mutex_unlock(&log->lock);
}

static void on_llama_abort(const char *message) {
    LOG_ERROR_EVENT("llama.abort", LOG_TEXT("message", message));
}

/* The CPU variants of ggml lie beside libllama and are chosen at run time. */
static bool load_backends(struct err *err) {
    Dl_info info;
    char folder[FILE_PATH_MAX];
    if (dladdr((void *)(uintptr_t)llama_backend_init, &info) == 0 || info.dli_fname == NULL) {
        return err_set(err, ERR_UNAVAILABLE, "cannot tell where libllama is");
    }
    const char *slash = strrchr(info.dli_fname, '/');
    struct str path = slash != NULL ? (struct str){info.dli_fname, (size_t)(slash - info.dli_fname)} : STR(".");
    if (!str_copy(folder, sizeof(folder), path)) {
        return err_set(err, ERR_UNAVAILABLE, "the path of libllama is too long");
    }
    ggml_backend_load_all_from_path(folder);
    llama_backend_init();
    if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == NULL) {
        return err_set(err, ERR_UNAVAILABLE, "llama.cpp has no backend for this processor in %s", folder);
    }
    return true;
}

uint64_t model_memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

uint64_t model_memory_limit_default(void) {
    return machine_memory_available("/") / 2;
}

uint32_t model_threads_default(void) {
    uint32_t count = machine_cores("/");
    /* With as many threads as cores one busy neighbour costs 50 times: the barriers spin. */
    return count > 2 ? count - 1 : 1;
}

static uint32_t meta_number(const struct llama_model *model, const char *name, uint32_t fallback) {
    char architecture[64], key[128], value[32];
    uint64_t number = 0;
    if (llama_model_meta_val_str(model, "general.architecture", architecture, sizeof(architecture)) < 0) {
        return fallback;
    }
    snprintf(key, sizeof(key), "%s.%s", architecture, name);
    int32_t length = llama_model_meta_val_str(model, key, value, sizeof(value));
    bool found = length > 0 && (size_t)length < sizeof(value) &&
                 str_parse_u64((struct str){value, (size_t)length}, UINT32_MAX, &number);
    return found ? (uint32_t)number : fallback;
}

static uint32_t head_size(const struct llama_model *model) {
    int32_t heads = llama_model_n_head(model);
    uint32_t usual = heads > 0 ? (uint32_t)(llama_model_n_embd(model) / heads) : 0;
    return meta_number(model, "attention.key_length", usual);
}

static uint64_t kv_bytes_per_token(const struct llama_model *model) {
    uint32_t key = head_size(model), value = meta_number(model, "attention.value_length", key);
    uint64_t heads = (uint64_t)llama_model_n_layer(model) * (uint64_t)llama_model_n_head_kv(model);
    return heads * (key + value) * MODEL_CACHE_BYTES;
}

static uint32_t thread_count(const struct model_options *options) {
    return options->threads > 0 ? options->threads : model_threads_default();
}

static void hold_to_plan(const struct model *model, const struct plan_input *input, uint32_t threads) {
    uint64_t cache = input->kv_bytes_per_token * model->plan.slots * (model->plan.context_length + PLAN_CONTEXT_STEP);
    sandbox_limit_memory(2 * llama_model_size(model->llama) + input->scratch_bytes + cache + MODEL_MARGIN_BYTES +
                         (uint64_t)threads * MODEL_THREAD_BYTES);
}

/* What loading has taken beside the mapped file: the vocabulary, and weights that ggml has laid out anew. */
static uint64_t heap_bytes(void) {
    const struct mallinfo2 heap = mallinfo2();
    return (uint64_t)heap.uordblks + heap.hblkhd;
}

static bool make_plan(struct model *model, const struct model_options *options, struct err *err) {
    int32_t trained = llama_model_n_ctx_train(model->llama);
    uint64_t width = (uint64_t)llama_model_n_embd(model->llama);
    uint64_t vocabulary = (uint64_t)llama_vocab_n_tokens(model->vocab);
    struct plan_input input = {
        .weights_bytes = llama_model_size(model->llama) + heap_bytes(),
        /* Measured on models of 2 M to 1 B: activations of a full batch, logits, and the libraries themselves. */
        .scratch_bytes = UINT64_C(64) * 1024 * 1024 + MODEL_PREFILL_MAX * width * 64 + vocabulary * 64,
        .kv_bytes_per_token = kv_bytes_per_token(model->llama),
        .parameters = llama_model_n_params(model->llama),
        .trained_context = trained > 0 ? (uint32_t)trained : 0,
        .memory_limit = options->memory_limit > 0 ? options->memory_limit : model_memory_limit_default(),
        .slots = options->slots,
        .context_length = options->context_length,
    };
    if (!plan_make(&input, &model->plan, err)) {
        return false;
    }
    if (options->held_to_plan) {
        hold_to_plan(model, &input, thread_count(options));
    }
    return true;
}

/* Without a pool of its own, ggml starts its threads anew for each step. */
static void attach_threads(struct model *model, int threads) {
    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_backend_reg_t registry = ggml_backend_dev_backend_reg(device);
    struct ggml_threadpool_params params = ggml_threadpool_params_default(threads);
    struct ggml_threadpool *(*pool_new)(struct ggml_threadpool_params *) = NULL;
    void *address = ggml_backend_reg_get_proc_address(registry, "ggml_threadpool_new");
    memcpy(&pool_new, &address, sizeof(pool_new)); /* C has no cast from an object to a function pointer */
    struct ggml_threadpool *pool = pool_new != NULL ? pool_new(&params) : NULL;
    if (pool != NULL) {
        llama_attach_threadpool(model->context, pool, pool);
    }
}

static bool make_context(struct model *model, const struct model_options *options, struct err *err) {
    uint32_t threads = thread_count(options);
    struct llama_context_params params = llama_context_default_params();
    uint32_t padded = (model->plan.context_length + PLAN_CONTEXT_STEP - 1) / PLAN_CONTEXT_STEP * PLAN_CONTEXT_STEP;
    model->batch_tokens = MODEL_PREFILL_MAX + model->plan.slots;
    model->outputs_max = model->plan.slots > MODEL_OUTPUTS_MIN ? model->plan.slots : MODEL_OUTPUTS_MIN;
    params.n_ctx = model->plan.slots * padded;
    params.n_seq_max = model->plan.slots;
    params.n_batch = model->batch_tokens;
    params.n_ubatch = model->batch_tokens;
    params.n_outputs_max = model->outputs_max;
    params.n_threads = (int32_t)threads;
    params.n_threads_batch = (int32_t)threads;
    params.no_perf = true;
    params.cb_eval = cache_pages_look;
    params.cb_eval_user_data = &model->cache;
    /* A cache per slot: measured up to 1.7 times the tokens/s of the unified one at 8 slots. */
    params.kv_unified = false;
    params.flash_attn_type =
        head_size(model->llama) < MODEL_FLASH_HEAD_MIN ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO;
    model->context = shim_context_new(model->llama, params, err);
    if (model->context == NULL) {
        return err_set(err, ERR_UNAVAILABLE, "no memory for %u slots of %u tokens: %s", model->plan.slots,
                       model->plan.context_length, model->log.first_error);
    }
    if (threads > 1) {
        attach_threads(model, (int)threads);
    }
    return true;
}

/* The first token touches all weights, so that the first request is not the slow one, and shows where the KV cache
 * lies; the others measure how fast prompts are read. */
static bool warm_up(struct model *model, struct err *err) {
    llama_token tokens[MODEL_WARM_UP_TOKENS];
    llama_token token = llama_vocab_bos(model->vocab) >= 0 ? llama_vocab_bos(model->vocab) : 0;
    model->cache.looking = true;
    for (uint32_t i = 0; i < MODEL_WARM_UP_TOKENS; i++) {
        tokens[i] = token;
    }
    for (int32_t count = 1; count <= MODEL_WARM_UP_TOKENS; count += MODEL_WARM_UP_TOKENS - 1) {
        uint64_t started = clock_monotonic_us();
        if (shim_decode(model->context, llama_batch_get_one(tokens, count)) != 0) {
            return err_set(err, ERR_UNAVAILABLE, "the model does not compute: %s", model->log.first_error);
        }
        llama_synchronize(model->context);
        uint64_t spent = clock_monotonic_us() - started;
        model->tokens_per_ms = count * 1000.0 / (double)(spent > 0 ? spent : 1);
        llama_memory_clear(llama_get_memory(model->context), false);
        model->cache.looking = false;
    }
    cache_pages_release_all(&model->cache);
    return true;
}

static bool load_params(struct model *model, const char *path, struct llama_model_params params, struct err *err) {
    err_clear(err);
    model->llama = shim_model_load(path, params, err);
    if (model->llama == NULL) {
        const char *reason = model->log.first_error[0] != '\0' ? model->log.first_error : err->message;
        char copy[MODEL_REASON_MAX];
        str_copy(copy, sizeof(copy), str_from(reason));
        return err_set(err, ERR_INVALID, "the model file cannot be loaded: %s", copy);
    }
    model->vocab = llama_model_get_vocab(model->llama);
    return true;
}

static bool load_file(struct model *model, const struct model_options *options, struct err *err) {
    struct stat status;
    const char *path = options->path;
    if (stat(path, &status) != 0) {
        return err_set(err, ERR_INVALID, "the model file cannot be opened");
    }
    if (options->held_to_plan) {
        sandbox_limit_memory(options->memory_limit + (uint64_t)status.st_size + MODEL_LOADING_BYTES);
    }
    if (!load_params(model, path, llama_model_default_params(), err)) {
        return false;
    }
    if (!llama_model_has_decoder(model->llama) || llama_model_has_encoder(model->llama) ||
        llama_model_is_diffusion(model->llama)) {
        return err_set(err, ERR_INVALID, "the model does not generate text token by token");
    }
    model->templates = shim_templates_new(model->llama, err);
    return model->templates != NULL;
}

bool model_prepare(struct model *model, struct err *err) {
    *model = (struct model){.log.lock = PTHREAD_MUTEX_INITIALIZER};
    llama_log_set(on_llama_log, &model->log);
    ggml_set_abort_callback(on_llama_abort);
    shim_silence();
    return load_backends(err);
}

bool model_load(struct model *model, const struct model_options *options, struct err *err) {
    return load_file(model, options, err) && make_plan(model, options, err) && make_context(model, options, err) &&
           warm_up(model, err);
}

bool model_load_vocabulary(struct model *model, const char *path, struct err *err) {
    struct llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    sandbox_limit_memory(MODEL_LOADING_BYTES);
    if (!load_params(model, path, params, err)) {
        return false;
    }
    model->plan = (struct plan){.slots = 1, .context_length = MODEL_COUNTED_MAX};
    model->templates = shim_templates_new(model->llama, err);
    return model->templates != NULL;
}
