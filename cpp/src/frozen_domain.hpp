// The section `domain` of a frozen file: what pulses the model has seen.
#pragma once

#include "cursor.hpp"
#include "frozen_file.hpp"

namespace discrimen {

// Throws Error if the section is damaged or does not fit the input.
DomainPlan read_domain(Cursor cursor, const FrozenInput& input);

}  // namespace discrimen
