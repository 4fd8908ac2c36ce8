/* GET /openapi.json: it is sound, and its routes are the router's. */
#include "api/router.h"
#include "base/json_read.h"
#include "embedded_api.h"
#include "format/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Follows every "$ref" of the document. */
static void check_refs(struct json_value root, struct json_value value) {
    struct json_iterator iterator;
    struct json_value item;
    struct str key, target;
    for (json_iterate(value, &iterator); json_next(&iterator, &key, &item);) {
        check_refs(root, item);
        if (!str_equal(key, STR("$ref"))) {
            continue;
        }
        assert_true(json_as_str(item, &target));
        struct json_value at = root;
        struct str head;
        for (bool more = str_split(target, '/', &head, &target); more;) {
            char name[64];
            more = str_split(target, '/', &head, &target);
            assert_true(str_copy(name, sizeof(name), head));
            if (!json_get(at, name, &at)) {
                fail_msg("$ref to a missing %s", name);
            }
        }
    }
}

static void test_is_sound(void **state) {
    (void)state;
    struct json_parser *parser = json_parser_new(1 << 20, 64);
    struct json_value root, paths, item, part;
    struct err err;
    struct str text = STR("");
    assert_true(json_parse(parser, (struct str){(const char *)api_json_openapi, api_json_openapi_len}, &root, &err));
    assert_true(json_get(root, "openapi", &item) && json_as_str(item, &text));
    assert_true(str_equal(text, STR("3.1.0")));
    check_refs(root, root);
    /* Its routes are the router's. */
    assert_true(json_get(root, "paths", &paths));
    assert_true(json_count(paths) > 0);
    struct router *router = router_new(&FORMATS);
    struct json_iterator iterator;
    struct str path;
    for (json_iterate(paths, &iterator); json_next(&iterator, &path, &item);) {
        static const char *const methods[][2] = {
            {"get", "GET"}, {"post", "POST"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
        size_t found = 0;
        for (size_t i = 0; i < COUNT_OF(methods); i++) {
            const struct route *route;
            struct str parameter;
            struct json_value security;
            char allow[ROUTE_ALLOW_SIZE];
            if (json_get(item, methods[i][0], &part)) {
                assert_int_equal(router_find(router, str_from(methods[i][1]), path, &route, &parameter, allow),
                                 ROUTE_FOUND);
                assert_int_equal(route->needs_key, !json_get(part, "security", &security));
                found++;
            }
        }
        assert_true(found > 0);
    }
    router_free(router);
    json_parser_free(parser);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_is_sound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
