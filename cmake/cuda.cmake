# CUDA, where nvcc is present: sets RUNG_HAS_CUDA. Without nvcc everything else builds.
#
#   RUNG_CUDA=AUTO  use nvcc when it is there (the default)
#   RUNG_CUDA=ON    fail when it is not
#   RUNG_CUDA=OFF   do not look
set(RUNG_CUDA AUTO CACHE STRING "Build the CUDA rungs: AUTO, ON or OFF")
set_property(CACHE RUNG_CUDA PROPERTY STRINGS AUTO ON OFF)
set(RUNG_HAS_CUDA OFF)
if(RUNG_CUDA STREQUAL "OFF")
  return()
endif()

# CMake 3.25.1 (Debian 12) does not know that nvcc has C++20 and would silently compile as C++17.
if(CMAKE_VERSION VERSION_LESS 3.25.2)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  if(RUNG_CUDA STREQUAL "ON")
    message(FATAL_ERROR "RUNG_CUDA is ON, but CMake found no working nvcc: put CUDA's bin folder on the PATH, "
                        "or configure with -DRUNG_CUDA=AUTO to build without CUDA")
  endif()
  message(STATUS "CUDA: no nvcc here; building without the CUDA rungs")
  return()
endif()

# Ampere and Hopper always; the newer ones where this nvcc knows them. The last one also as PTX, for what comes
# after. Asked for before the language is enabled, because CMake's own choice may be too old for this nvcc.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-arch OUTPUT_VARIABLE known ERROR_QUIET)
  set(architectures 80-real)
  foreach(architecture 90 100 120)
    if(known MATCHES "compute_${architecture}")
      list(APPEND architectures ${architecture}-real)
    endif()
  endforeach()
  list(POP_BACK architectures newest)
  string(REPLACE "-real" "" newest ${newest})
  list(APPEND architectures ${newest})
  set(CMAKE_CUDA_ARCHITECTURES ${architectures} CACHE STRING "GPU generations to compile for")
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
# Only now: CMake's own test of nvcc runs without the two options above.
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
# pkg-config names /usr/include; given to nvcc with -isystem, it would hide the C headers from the C++ ones.
list(APPEND CMAKE_CUDA_IMPLICIT_INCLUDE_DIRECTORIES ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
find_package(CUDAToolkit REQUIRED)
set(RUNG_HAS_CUDA ON)
message(STATUS "CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")
