# nataris-sim: the simulator, a shell of the core alone.
file(GLOB sim_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/*.c)
add_executable(nataris-sim ${sim_sources})
target_include_directories(nataris-sim PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(nataris-sim PRIVATE nataris_options ${NATARIS_BESIDE_sim})
if(NATARIS_TESTS)
    # A few seeds under the sanitizers; `make sim` runs 10,000.
    add_test(NAME sim COMMAND nataris-sim --seeds 300)
    # The same seed twice gives the same trace; and a text with a seam does not go unnoticed.
    add_test(NAME sim_network COMMAND nataris-sim network --devices 500 --jobs 4000 --minutes 20 --twice)
    add_test(NAME sim_network_seam COMMAND nataris-sim network --devices 500 --jobs 4000 --spoil-seams)
    set_tests_properties(sim_network_seam PROPERTIES PASS_REGULAR_EXPRESSION "FAILED at step .*: the text has a seam")
    add_test(NAME sim_liars COMMAND nataris-sim network --liars 5 --devices 800 --jobs 8000 --minutes 30 --twice)
    set_tests_properties(sim sim_network sim_network_seam sim_liars PROPERTIES LABELS sim TIMEOUT 120)
endif()
