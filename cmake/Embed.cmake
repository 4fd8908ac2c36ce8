# nataris_embed(<folder> <ext> <dir>): every <dir>/*.<ext> becomes a byte array
#   const unsigned char <folder>_<ext>_<file>[];  const size_t <folder>_<ext>_<file>_len;
# declared in the generated header embedded_<folder>.h. The array ends in a NUL that _len does not count.
# The target nataris-generated makes all of them.
add_custom_target(nataris-generated)
function(nataris_embed folder ext dir)
    file(GLOB files CONFIGURE_DEPENDS ${dir}/*.${ext})
    set(header ${PROJECT_BINARY_DIR}/generated/embedded_${folder}.h)
    set(source ${PROJECT_BINARY_DIR}/generated/embedded_${folder}.c)
    add_custom_command(
        OUTPUT ${header} ${source}
        COMMAND ${CMAKE_COMMAND} -DHEADER=${header} -DSOURCE=${source} -DPREFIX=${folder}_${ext} "-DFILES=${files}"
                -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
        DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
        COMMENT "Embedding ${folder}/*.${ext}"
        VERBATIM)
    add_library(nataris_embedded_${folder} STATIC ${source} ${header})
    target_include_directories(nataris_embedded_${folder} PUBLIC ${PROJECT_BINARY_DIR}/generated)
    add_dependencies(nataris-generated nataris_embedded_${folder})
endfunction()
