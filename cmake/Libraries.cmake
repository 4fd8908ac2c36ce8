# The libraries we link. Debian packages: tools/deps.sh build installs them.
set(NATARIS_HINT "Run: tools/deps.sh build (or make build, which does it first)")

find_package(PkgConfig)
find_package(OpenSSL 3.0)
find_package(Threads REQUIRED)
if(NOT PKG_CONFIG_FOUND OR NOT OPENSSL_FOUND)
    message(FATAL_ERROR "pkg-config or OpenSSL 3 is missing. ${NATARIS_HINT}")
endif()

function(nataris_pkg name module)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR "library ${module} is missing. ${NATARIS_HINT}")
    endif()
endfunction()
nataris_pkg(UV libuv)
nataris_pkg(SIMDJSON simdjson)
nataris_pkg(SQLITE sqlite3)
nataris_pkg(CURL libcurl)
nataris_pkg(INIH inih)
nataris_pkg(MUPARSER muparser)

find_path(UTHASH_INCLUDE uthash.h)
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
if(NOT UTHASH_INCLUDE OR NOT LLHTTP_SOURCE OR NOT LLHTTP_INCLUDE)
    message(FATAL_ERROR "uthash or llhttp is missing. ${NATARIS_HINT}")
endif()

# llhttp has no Debian library package; node-llhttp ships its C sources.
add_library(llhttp STATIC ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c ${LLHTTP_SOURCE}/llhttp.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
target_compile_options(llhttp PRIVATE -w)
