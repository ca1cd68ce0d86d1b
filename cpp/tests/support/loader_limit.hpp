// How much memory a loader may take for a file: proportional to its size, whatever the file asks for.
//
// A workspace holds at most ten values of a pulse for each byte of the file, for a block of up to 32 pulses, 4 bytes
// each: 10 * 32 * 4. The rest is what the file itself is read into.
#pragma once

#include <cstddef>

constexpr std::size_t most_bytes_for(std::size_t file_size) { return 1500 * file_size + 100000; }
