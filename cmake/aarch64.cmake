# Toolchain: builds for arm64 (aarch64, Linux) with Debian's cross compiler. GODWIT_SYSROOT (a variable
# of the environment) is a folder that holds the libraries and headers for arm64 under usr/; without
# it those that the system has, as dpkg --add-architecture arm64 brings them. tests/arm64.sh does all
# of it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_STRIP aarch64-linux-gnu-strip)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(sysroot $ENV{GODWIT_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} "${sysroot}/usr/lib/aarch64-linux-gnu/pkgconfig:${sysroot}/usr/share/pkgconfig")
if(sysroot)
    set(ENV{PKG_CONFIG_SYSROOT_DIR} ${sysroot})
    set(CMAKE_FIND_ROOT_PATH ${sysroot})
    set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
    set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
    set(CMAKE_C_FLAGS_INIT "-isystem ${sysroot}/usr/include")
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
