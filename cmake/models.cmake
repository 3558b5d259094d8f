# Generates the contract from the pinned service models at configure time: structs, constraint
# tables, interfaces and clients into <build>/generated. Only files that changed are written.
set(PILEUS_GENERATED ${CMAKE_BINARY_DIR}/generated)
set(PILEUS_PYTHON ${CMAKE_SOURCE_DIR}/build/venv/bin/python CACHE FILEPATH "a Python that has the pinned botocore")
file(GLOB_RECURSE model_inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/models/*.py
  ${CMAKE_SOURCE_DIR}/models/*.json ${CMAKE_SOURCE_DIR}/models/*.jsonl
  ${CMAKE_SOURCE_DIR}/models/*.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${model_inputs})
execute_process(
  COMMAND ${PILEUS_PYTHON} ${CMAKE_SOURCE_DIR}/models/generate.py --out ${PILEUS_GENERATED}
  RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "the generator failed (see above); run ./dev setup once if the pinned models are missing")
endif()
include(${PILEUS_GENERATED}/services.cmake)  # PILEUS_MODELS: the names of the generated services
