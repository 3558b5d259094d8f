# The library that zygotes load into their interpreter (src/sandbox/zygote_entry.cpp): C and system
# calls only, never sanitized, because it runs in programs that are not ours. It travels inside the
# binary as bytes.
set(zygote_folder ${CMAKE_BINARY_DIR}/zygote)
file(MAKE_DIRECTORY ${zygote_folder})
set(zygote_sources ${CMAKE_SOURCE_DIR}/src/sandbox/enter.cpp ${CMAKE_SOURCE_DIR}/src/sandbox/zygote_entry.cpp)
add_custom_command(
  OUTPUT ${zygote_folder}/enter.so
  COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -O2 -Wall -Wextra -fPIC -shared -nostdlib++ -fno-exceptions
          -fno-rtti -fno-threadsafe-statics -fvisibility=hidden -Wl,-s,-z,relro,-z,now
          -I${CMAKE_SOURCE_DIR}/src -o ${zygote_folder}/enter.so ${zygote_sources}
  DEPENDS ${zygote_sources} ${CMAKE_SOURCE_DIR}/src/sandbox/enter.h ${CMAKE_SOURCE_DIR}/src/sandbox/zygote_entry.h
  VERBATIM)
add_custom_command(
  OUTPUT ${zygote_folder}/zygote_library.cpp
  COMMAND ${PILEUS_PYTHON} ${CMAKE_SOURCE_DIR}/tools/embed.py ${zygote_folder}/enter.so
          ${zygote_folder}/zygote_library.cpp pileus::sandbox kZygoteLibrary
  DEPENDS ${zygote_folder}/enter.so ${CMAKE_SOURCE_DIR}/tools/embed.py
  VERBATIM)
target_sources(sandbox PRIVATE ${zygote_folder}/zygote_library.cpp)
