# nataris-sim: the simulator, a shell of the core alone.
file(GLOB sim_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/*.c)
add_executable(nataris-sim ${sim_sources})
target_include_directories(nataris-sim PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(nataris-sim PRIVATE nataris_options nataris_core)
if(NATARIS_TESTS)
    # A few seeds under the sanitizers; `make sim` runs 10,000.
    add_test(NAME sim COMMAND nataris-sim --seeds 300)
    set_tests_properties(sim PROPERTIES LABELS sim TIMEOUT 120)
endif()
