// SHA-256 as in FIPS 180-4, to tell a whole frozen file from a damaged one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace discrimen {

std::array<std::uint8_t, 32> sha256(const std::uint8_t* content, std::size_t size);

}  // namespace discrimen
