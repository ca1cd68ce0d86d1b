// A plan in one piece, and its addresses put in again where it lies.
#pragma once

#include <cstdint>
#include <vector>

#include "../../network.hpp"
#include "table.hpp"

namespace discrimen::cuda {

std::vector<char> flattened(const Network& network);

template <class T>
void put_address(const T*& pointer, const char* base) {
    if (pointer) pointer = reinterpret_cast<const T*>(base + reinterpret_cast<std::uintptr_t>(pointer));
}

// Makes addresses of the offsets in a copy of a flat plan, as they will be when it lies at `base`.
inline void relocate(char* flat, const char* base) {
    auto* plan = reinterpret_cast<NetworkPlan*>(flat);
    auto* operations = reinterpret_cast<Operation*>(flat + reinterpret_cast<std::uintptr_t>(plan->operations));
    for (int i = 0; i < plan->n_operations; ++i) {
        put_address(operations[i].weights, base);
        put_address(operations[i].bias, base);
    }
    put_address(plan->preparation.channels, base);
    put_address(plan->operations, base);
    put_address(plan->outputs, base);
}

}  // namespace discrimen::cuda
