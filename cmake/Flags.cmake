# nataris_options: how our own sources are compiled. Third-party sources do not link it.
add_library(nataris_options INTERFACE)
target_include_directories(nataris_options INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(nataris_options INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64
                           NATARIS_VERSION="${PROJECT_VERSION}")
target_compile_options(nataris_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wvla -Wformat=2 -Wundef -Wpointer-arith -Wimplicit-fallthrough
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
    "$<$<COMPILE_LANGUAGE:C>:SHELL:-include base/banned.h>"
    -fstack-protector-strong -fno-omit-frame-pointer)
if(NATARIS_WERROR)
    target_compile_options(nataris_options INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_definitions(nataris_options INTERFACE _FORTIFY_SOURCE=2)
endif()

add_link_options(-pie -Wl,-z,relro,-z,now -Wl,--as-needed)
if(NATARIS_SANITIZE)
    # Everything is instrumented, llhttp too: a race or overflow there is ours as well.
    add_compile_options(-fsanitize=${NATARIS_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${NATARIS_SANITIZE})
endif()
if(NATARIS_COVERAGE)
    # Counters of our own sources, right also with threads; tests that fork or kill lose those of the dead process.
    target_compile_options(nataris_options INTERFACE --coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
if(NATARIS_TRACE)
    # Functions of ours alone, also the inline ones; tests/trace/trace_calls.c is what they call.
    target_compile_options(nataris_options INTERFACE -finstrument-functions
                           -finstrument-functions-exclude-file-list=/usr/,/.deps/)
endif()
if(NATARIS_LTO)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
