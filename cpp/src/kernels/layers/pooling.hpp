// Max, average and global pooling: rows of values that lie one behind the other.
#pragma once

#include "../../plan.hpp"
#include "arguments.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

template <int width, bool largest>
static inline void pool(const Operation& op, const float* x, float* y) {
    const std::ptrdiff_t row = std::ptrdiff_t(op.channels_in) * width;
    for (int step = 0; step < op.steps_out; ++step) {
        const int origin = step * op.stride - op.pad_front;
        const int first = origin < 0 ? 0 : origin;
        const int last = origin + op.length < op.steps_in ? origin + op.length : op.steps_in;
        const float share = 1.0f / float(last - first);
        for (std::ptrdiff_t i = 0; i < row; i += lanes) {
            Vector value = load(x + first * row + i);
            for (int from = first + 1; from < last; ++from) {
                const Vector next = load(x + from * row + i);
                value = largest ? larger(value, next) : value + next;
            }
            store(y + step * row + i, largest ? value : value * share);
        }
    }
}

template <int width>
static inline void max_pool(const Operation& op, const Arguments& arguments) {
    pool<width, true>(op, arguments.in[0], arguments.out);
}

template <int width>
static inline void average_pool(const Operation& op, const Arguments& arguments) {
    pool<width, false>(op, arguments.in[0], arguments.out);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
