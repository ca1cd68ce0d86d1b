// The planner of every layer: the function of its name, in one of the files of this folder.
#pragma once

#include "names.hpp"
#include "planner.hpp"

namespace discrimen::layers {

#define DISCRIMEN_PLANNER(code, name) void name(Planner& planner);
DISCRIMEN_LAYERS(DISCRIMEN_PLANNER)
#undef DISCRIMEN_PLANNER

}  // namespace discrimen::layers
