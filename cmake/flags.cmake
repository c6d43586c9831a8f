# The flags of every target, once. Third-party headers come in as system headers.
add_library(tillway_flags INTERFACE)
target_compile_definitions(tillway_flags INTERFACE _GNU_SOURCE)
target_compile_options(tillway_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wnull-dereference)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tillway_flags INTERFACE
    -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wjump-misses-init
    -Wno-format-truncation) # texts for people are cut on purpose
endif()
if(TILLWAY_WERROR)
  target_compile_options(tillway_flags INTERFACE -Werror)
endif()

# Asserts stay on in every build: they guard what cannot happen.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

# Instrumented code makes gcc see conversions and NULLs that are not in the source; the plain build checks those.
if(NOT TILLWAY_SANITIZE STREQUAL "none")
  target_compile_options(tillway_flags INTERFACE
    -Wno-conversion -Wno-sign-conversion -Wno-null-dereference)
endif()
if(TILLWAY_SANITIZE STREQUAL "address")
  target_compile_options(tillway_flags INTERFACE
    -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(tillway_flags INTERFACE -fsanitize=address,undefined)
elseif(TILLWAY_SANITIZE STREQUAL "thread")
  target_compile_options(tillway_flags INTERFACE -O1 -g -fno-omit-frame-pointer -fsanitize=thread)
  target_link_options(tillway_flags INTERFACE -fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON) # a statement passes through many small files
  target_compile_options(tillway_flags INTERFACE -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
  target_link_options(tillway_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
