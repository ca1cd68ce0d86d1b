// Counts what this program and the libraries that it loads allocate, by standing in for malloc and its like.
//
// In a build with the address sanitizer its hooks count instead; with another sanitizer, whose own memory would be
// counted too, or another C library nothing does.
#pragma once

#include <cstddef>

namespace allocations {

constexpr const char* why_not = "allocations cannot be counted under this sanitizer or C library";
bool can_count();
std::size_t count();       // allocations since the start
std::size_t live_bytes();  // allocated and not freed
std::size_t peak_bytes();  // the most that live_bytes() was since the last reset_peak()
void reset_peak();

}  // namespace allocations
