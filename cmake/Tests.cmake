find_library(CMOCKA_LIBRARY cmocka)
if(NOT CMOCKA_LIBRARY)
    message(FATAL_ERROR "cmocka is missing. Run: tools/deps.sh test (or configure with -DNATARIS_TESTS=OFF)")
endif()

file(GLOB support_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.c)
if(support_sources)
    add_library(nataris_test_support STATIC ${support_sources})
    target_include_directories(nataris_test_support PUBLIC ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(nataris_test_support PRIVATE nataris_options
                          PUBLIC nataris_engine nataris_store_sqlite nataris_core nataris_link ${CMOCKA_LIBRARY})
else()
    add_library(nataris_test_support INTERFACE)
endif()

# tests-quick: what `make unit` runs.
add_custom_target(tests-quick)
# tests-threaded: the unit tests of the folders that start threads, for the thread sanitizer.
add_custom_target(tests-threaded)
set(threaded_folders net api conversation workflow jobs store store_sqlite engine provider webhook gateway
    gateway_sandbox gateway_operator)

# Unit tests that take too long for `make unit` and for the thread sanitizer: they run with the contract suites.
set(long_tests test_store_sqlite_power)

# Their clock runs ahead of the threads that they wait for, so they keep a core busy and run alone.
set(busy_tests test_webhook_sender test_webhook_sender_pace)

# Unit tests of seconds: `make unit` leaves them out (label slow), everything else runs them.
set(slow_tests test_base_json_read test_core_random test_provider_enforcement test_provider_fetch_wheel
    test_provider_model_fetch test_provider_owner_guard test_store_sqlite_ledger_check)

# Every tests/unit/<folder>/test_<name>.c is the program test_<folder>_<name>; likewise replay and contract.
# nataris_test_dir(<name part> <CTest label> <dir> <library...>)
function(nataris_test_dir prefix label dir)
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/test_*.c)
    foreach(source IN LISTS sources)
        get_filename_component(name ${source} NAME_WE)
        string(REGEX REPLACE "^test_" "test_${prefix}_" name ${name})
        add_executable(${name} ${source})
        target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
        target_compile_definitions(${name} PRIVATE NATARIS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
        target_link_libraries(${name} PRIVATE nataris_options nataris_test_support ${ARGN} ${CMOCKA_LIBRARY})
        if(prefix STREQUAL "llama_child")
            nataris_find_llama(${name} ${NATARIS_LLAMA_FROM_BUILD})
        endif()
        add_test(NAME ${name} COMMAND ${name})
        set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 120)
        if(name IN_LIST long_tests)
            set_tests_properties(${name} PROPERTIES LABELS contract TIMEOUT 300)
            continue()
        endif()
        if(label MATCHES "unit|replay")
            add_dependencies(tests-quick ${name})
        endif()
        if(label STREQUAL "unit" AND prefix IN_LIST threaded_folders)
            set_tests_properties(${name} PROPERTIES LABELS "unit;threaded")
            add_dependencies(tests-threaded ${name})
        endif()
        if(name IN_LIST busy_tests)
            set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
        endif()
        if(name IN_LIST slow_tests)
            set_property(TEST ${name} APPEND PROPERTY LABELS slow)
        endif()
    endforeach()
endfunction()

foreach(room IN LISTS NATARIS_ROOMS)
    string(REPLACE "/" "_" name ${room})
    if(room STREQUAL "engine/llama_child")
        set(name llama_child)
    endif()
    if(TARGET nataris_${name})
        nataris_test_dir(${name} unit ${PROJECT_SOURCE_DIR}/tests/unit/${room} nataris_${name})
    endif()
endforeach()
nataris_test_dir(replay replay ${PROJECT_SOURCE_DIR}/tests/replay ${NATARIS_BESIDE_tests_replay})
nataris_test_dir(contract contract ${PROJECT_SOURCE_DIR}/tests/contract ${NATARIS_BESIDE_tests_contract})
