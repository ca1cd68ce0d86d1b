// How much memory a loader may take for a file: proportional to its size, whatever the file asks for.
//
// Every layer may make as many values of a pulse as the file has bytes. A workspace holds two sets of them and eight
// kept ones for a block of up to 32 pulses, 4 bytes each: 10 * 32 * 4. The rest is what the file itself is read into.
#pragma once

#include <cstddef>

constexpr std::size_t most_bytes_for(std::size_t file_size) { return 1500 * file_size + 100000; }
