# Cross-compiles for 64-bit Arm with Debian's g++-aarch64-linux-gnu and runs what was built under QEMU.
#
# RUNG_AARCH64_ROOT is a folder with the arm64 packages unpacked; cmake/aarch64.sh makes one and does the rest.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(RUNG_AARCH64_ROOT "" CACHE PATH "Folder with the arm64 packages unpacked")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES RUNG_AARCH64_ROOT)
set(CMAKE_FIND_ROOT_PATH ${RUNG_AARCH64_ROOT} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(libraries ${RUNG_AARCH64_ROOT}/usr/lib/aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig:${RUNG_AARCH64_ROOT}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${RUNG_AARCH64_ROOT})
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${libraries}")

find_program(RUNG_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(RUNG_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${RUNG_QEMU} -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=${libraries})
endif()
