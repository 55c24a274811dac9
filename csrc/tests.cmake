# The C++ tests: -DHORNBEAM_TESTS=ON, -DHORNBEAM_SANITIZE=address,undefined or thread.
#
# oneDNN is no sanitized build: ThreadSanitizer would not see its locks, so under it only what runs
# without it is tested, and only that is compiled.
enable_testing()
set(HORNBEAM_SANITIZE "" CACHE STRING "What -fsanitize= gets")
set(tests conv/test_chunks core/test_parallel)
if(HORNBEAM_SANITIZE STREQUAL "thread")
  set(kernels conv/chunks.cc core/parallel.cc)
else()
  list(APPEND tests
    attention/test_attention
    bernoulli/test_bernoulli
    conv/test_conv
    core/test_rounded
    core/test_zeros
    dense/test_dense
    embedding/test_embedding
    matmul/test_matmul
    normalization/test_normalization
    pool/test_pool
    recurrent/test_recurrent
    updates/test_updates)
endif()

add_library(kernels STATIC ${kernels})
add_dependencies(kernels dnnl_copy)
target_include_directories(kernels PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(kernels SYSTEM PUBLIC ${XLA_INCLUDE} ${DNNL_INCLUDE})
target_compile_options(kernels PUBLIC -g -O1 -fno-omit-frame-pointer)
target_link_libraries(kernels PUBLIC ${dnnl} ${CMAKE_DL_LIBS} pthread)
if(HORNBEAM_SANITIZE)
  set(sanitize -fsanitize=${HORNBEAM_SANITIZE} -fno-sanitize-recover=all)
  target_compile_options(kernels PUBLIC ${sanitize})
  target_link_options(kernels PUBLIC ${sanitize})
endif()
foreach(path IN LISTS tests)
  get_filename_component(test ${path} NAME)
  add_executable(${test} ${path}.cc)
  target_link_libraries(${test} PRIVATE kernels)
  set_target_properties(${test} PROPERTIES BUILD_RPATH ${CMAKE_CURRENT_BINARY_DIR})
  add_test(NAME ${test} COMMAND ${test})
endforeach()
