// The head of a message of discrimen stream, and a pulse's columns: 88 and 24 bytes, little-endian, without padding.
// What each field holds, and which parts follow the head, stands in docs/stream.md and discrimen/online/message.py.
#pragma once

#include <cstdint>

enum Kind : std::uint32_t { pulses = 1, results = 2, stop = 3, hello = 4, receipt = 5 };

struct Head {
    char magic[8] = {'D', 'S', 'C', 'S', 'T', 'R', 'M', 0};
    std::uint32_t version = 1, kind = 0;
    std::uint64_t source = 0, sequence = 0;
    std::int64_t begin_ps = 0, end_ps = 0;
    std::uint32_t n_pulses = 0, n_channels = 1, n_samples = 0, sample_type = 0;
    double sample_period_ns = 0;
    std::uint32_t flags = 0, window = 0, attempt = 0, unused = 0;
};
static_assert(sizeof(Head) == 88, "a head has 88 bytes");

struct Columns {
    std::int64_t timestamp_ps, entry;
    std::uint32_t flags;
    std::uint16_t board, channel;
};
static_assert(sizeof(Columns) == 24, "the columns of a pulse have 24 bytes");
