// What a frozen file says of its outputs, and the golden vectors that hold them to it.
#pragma once

#include <vector>

#include "cursor.hpp"
#include "frozen_file.hpp"

namespace discrimen {

// Each reads one of the values 0 to n_layers.
std::vector<FrozenOutput> read_outputs(Cursor cursor, std::size_t n_layers);

// The golden values go to the outputs.
FrozenGolden read_golden(Cursor cursor, const FrozenInput& input, std::vector<FrozenOutput>& outputs);

// Whether a name is there twice, or is empty: it could not be asked for.
bool has_twins(std::vector<std::string> names);

}  // namespace discrimen
