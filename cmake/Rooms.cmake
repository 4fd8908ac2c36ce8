# Reads src/rooms.txt: src/<room>/*.c, *.cpp form the static library nataris_<room> ("/" becomes "_"), linked to the
# rooms and libraries that the table allows it. NATARIS_ROOMS lists the rooms in the table's order. A line of a folder
# outside src/ begins with a slash: "/tests/bench" gives NATARIS_BESIDE_tests_bench, the libraries of the rooms that it
# may include.
set(NATARIS_LIB_crypto OpenSSL::Crypto)
set(NATARIS_LIB_ssl OpenSSL::SSL)
set(NATARIS_LIB_simdjson PkgConfig::SIMDJSON)
set(NATARIS_LIB_inih PkgConfig::INIH)
set(NATARIS_LIB_uv PkgConfig::UV)
set(NATARIS_LIB_llhttp llhttp)
set(NATARIS_LIB_sqlite PkgConfig::SQLITE)
set(NATARIS_LIB_gmp PkgConfig::GMP)
set(NATARIS_LIB_mpfr PkgConfig::MPFR)
set(NATARIS_LIB_curl PkgConfig::CURL)
set(NATARIS_LIB_icu PkgConfig::ICU)
set(NATARIS_LIB_uthash "") # headers only, beside the system's own
set(NATARIS_LIB_llama "")  # of the child alone: cmake/Programs.cmake

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/rooms.txt)
set(NATARIS_ROOMS "")

function(nataris_room room lower libraries)
    string(REPLACE "/" "_" name ${room})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.c ${PROJECT_SOURCE_DIR}/src/${room}/*.cpp)
    add_library(nataris_${name} STATIC ${sources})
    target_link_libraries(nataris_${name} PRIVATE nataris_options PUBLIC Threads::Threads)
    foreach(below IN LISTS lower)
        string(REPLACE "/" "_" below ${below})
        target_link_libraries(nataris_${name} PUBLIC nataris_${below})
    endforeach()
    foreach(library IN LISTS libraries)
        if(NOT DEFINED NATARIS_LIB_${library})
            message(FATAL_ERROR "src/rooms.txt: ${room} names ${library}, which cmake/Rooms.cmake does not know")
        endif()
        target_link_libraries(nataris_${name} PUBLIC ${NATARIS_LIB_${library}})
    endforeach()
endfunction()

function(nataris_beside folder lower)
    string(REGEX REPLACE "^/" "" name ${folder})
    string(REPLACE "/" "_" name ${name})
    list(REMOVE_ITEM lower engine/llama_child) # a program's own objects
    list(TRANSFORM lower REPLACE "/" "_")
    list(TRANSFORM lower PREPEND nataris_)
    set(NATARIS_BESIDE_${name} ${lower} PARENT_SCOPE)
endfunction()

file(STRINGS ${PROJECT_SOURCE_DIR}/src/rooms.txt lines REGEX "^[a-z/]")
foreach(line IN LISTS lines)
    string(REPLACE "|" ";" fields "${line}")
    list(GET fields 0 room)
    list(GET fields 1 lower)
    list(GET fields 2 libraries)
    string(STRIP "${room}" room)
    separate_arguments(lower UNIX_COMMAND "${lower}")
    separate_arguments(libraries UNIX_COMMAND "${libraries}")
    if(room MATCHES "^/")
        nataris_beside(${room} "${lower}")
        continue()
    endif()
    list(APPEND NATARIS_ROOMS ${room})
    if(NOT room STREQUAL "engine/llama_child") # a program's own objects: cmake/Programs.cmake
        nataris_room(${room} "${lower}" "${libraries}")
    endif()
endforeach()

target_link_libraries(nataris_store_sqlite PUBLIC nataris_embedded_store)
target_link_libraries(nataris_api PUBLIC nataris_embedded_api)
