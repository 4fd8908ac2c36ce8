# nataris_folder(<name> [FOLDERS ...] [LIBS ...]): src/<name>/*.c, *.cpp form the static library nataris_<name>.
# A folder without sources yet becomes an empty interface library, so that what links it still configures.
function(nataris_folder name)
    cmake_parse_arguments(arg "" "" "FOLDERS;LIBS" ${ARGN})
    list(TRANSFORM arg_FOLDERS PREPEND nataris_)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.c ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
    if(sources)
        add_library(nataris_${name} STATIC ${sources})
        target_link_libraries(nataris_${name} PRIVATE nataris_options PUBLIC ${arg_FOLDERS} ${arg_LIBS} Threads::Threads)
    else()
        add_library(nataris_${name} INTERFACE)
        target_link_libraries(nataris_${name} INTERFACE ${arg_FOLDERS} ${arg_LIBS})
    endif()
endfunction()
