# nataris, and nataris-llama: the child process in which llama.cpp runs.
# nataris looks for its child and models beside itself by relative path, so the install layout is fixed.

if(EXISTS ${PROJECT_SOURCE_DIR}/src/main.c)
    add_executable(nataris ${PROJECT_SOURCE_DIR}/src/main.c)
    target_link_libraries(nataris PRIVATE nataris_options ${NATARIS_BESIDE_src})
    if(NATARIS_TRACE)
        target_sources(nataris PRIVATE ${PROJECT_SOURCE_DIR}/tests/trace/trace_calls.c)
    endif()
    install(TARGETS nataris RUNTIME DESTINATION bin)
endif()
file(GLOB model_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/models/*.gguf)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE DESTINATION share/doc/nataris)
install(FILES ${model_files} DESTINATION share/nataris/models)

# Units of systemd, with the place where the program is installed (CMAKE_INSTALL_PREFIX) in them.
include(GNUInstallDirs)
foreach(unit nataris-gateway nataris-provider)
    configure_file(${PROJECT_SOURCE_DIR}/packaging/systemd/${unit}.service.in
                   ${PROJECT_BINARY_DIR}/${unit}.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${unit}.service DESTINATION lib/systemd/system)
endforeach()

file(GLOB child_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/engine/llama_child/*.c
     ${PROJECT_SOURCE_DIR}/src/engine/llama_child/*.cpp)
if(NOT child_sources OR NATARIS_FUZZ)
    return()
endif()

set(LLAMA_DIR ${PROJECT_SOURCE_DIR}/.deps/llama)
if(NOT EXISTS ${LLAMA_DIR}/stamp)
    message(FATAL_ERROR "llama.cpp is missing from .deps/llama. Run: tools/llama-deps.sh (make build does it first)")
endif()
add_library(llama INTERFACE)
target_include_directories(llama SYSTEM INTERFACE ${LLAMA_DIR}/include ${LLAMA_DIR}/ggml/include ${LLAMA_DIR}/common
                           ${LLAMA_DIR}/vendor)
target_link_directories(llama INTERFACE ${LLAMA_DIR}/lib)
target_link_libraries(llama INTERFACE -l:libllama-common.so -l:libllama.v0.5.0.so -l:libggml.v0.5.0.so
                      -l:libggml-base.so)

# Objects, so that tests can link the child's code without its main.
add_library(nataris_llama_objects OBJECT ${child_sources})
target_link_libraries(nataris_llama_objects PRIVATE nataris_options nataris_engine nataris_grammar llama)
add_library(nataris_llama_child STATIC $<TARGET_OBJECTS:nataris_llama_objects>)
target_link_libraries(nataris_llama_child PUBLIC nataris_engine nataris_grammar llama Threads::Threads)

# A program that runs llama.cpp finds its libraries by a path from where it lies itself, and nowhere else. CMake's own
# path for the build folder would be absolute and end in a colon, which stands for the current folder.
function(nataris_find_llama target path)
    set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/${path}")
endfunction()
file(RELATIVE_PATH NATARIS_LLAMA_FROM_BUILD ${PROJECT_BINARY_DIR} ${LLAMA_DIR}/lib)

# Linked twice, since the two have different paths: for the build folder, and for the place where it is installed.
foreach(name nataris-llama nataris-llama-installed)
    add_executable(${name} $<TARGET_OBJECTS:nataris_llama_objects>)
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME nataris-llama)
    target_link_libraries(${name} PRIVATE nataris_engine nataris_grammar llama Threads::Threads)
endforeach()
if(NATARIS_COVERAGE)
    target_sources(nataris-llama PRIVATE ${PROJECT_SOURCE_DIR}/tests/trace/count_child.c)
    target_compile_definitions(nataris-llama PRIVATE NATARIS_BUILD_FOLDER="${PROJECT_BINARY_DIR}")
endif()
nataris_find_llama(nataris-llama ${NATARIS_LLAMA_FROM_BUILD})
nataris_find_llama(nataris-llama-installed ../../lib/nataris)
set_target_properties(nataris-llama-installed PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/installed)

install(TARGETS nataris-llama-installed RUNTIME DESTINATION libexec/nataris)
install(DIRECTORY ${LLAMA_DIR}/lib/ DESTINATION lib/nataris FILES_MATCHING PATTERN "*.so*")
install(FILES ${LLAMA_DIR}/LICENSE DESTINATION share/doc/nataris RENAME LICENSE.llama.cpp)
