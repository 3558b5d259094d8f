// All services that a contract test program was built with.
#pragma once

#include "aws/service.h"

std::span<const pileus::aws::Service* const> all_services();
