// Frames for the harness: NEDA pulses, merged frames, frames of other detectors, as bytes.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "mfm_frame.hpp"

using Bytes = std::vector<std::uint8_t>;

inline Bytes make_neda(std::uint32_t number, std::uint64_t time, unsigned board, unsigned channel,
                       const std::vector<std::uint16_t>& adc) {
    const std::size_t size = mfm::kNedaHeader + 2 * adc.size() + sizeof mfm::kEndOfNeda;
    Bytes frame(size, 0);
    mfm::write_header(frame.data(), mfm::kNeda, size, mfm::kNedaHeader, 2, static_cast<std::uint32_t>(adc.size()), 0);
    mfm::store<std::uint16_t>(&frame[16], static_cast<std::uint16_t>(board << 5 | (channel & 0xf)));
    mfm::store(&frame[18], number);
    std::memcpy(&frame[22], &time, 6);
    frame[40] = static_cast<std::uint8_t>(number);
    for (std::size_t i = 0; i < adc.size(); ++i) {
        const unsigned bits = (adc[i] & mfm::kAdcMask) | (i % 2 ? 0x4000u : 0u) | (number % 2 ? 0x8000u : 0u);
        mfm::store<std::uint16_t>(&frame[mfm::kNedaHeader + 2 * i], static_cast<std::uint16_t>(bits));
    }
    mfm::store(&frame[size - sizeof mfm::kEndOfNeda], mfm::kEndOfNeda);
    return frame;
}

// A frame that this example knows nothing of, of an even number of bytes.
inline Bytes make_foreign(std::size_t n_bytes, std::uint8_t filling) {
    const std::size_t size = mfm::kItemsHeader + n_bytes;
    Bytes frame(size, filling);
    mfm::write_header(frame.data(), 0x10, size, mfm::kItemsHeader, 1, static_cast<std::uint32_t>(n_bytes), 7);
    return frame;
}

inline Bytes make_merged(std::uint64_t time, const std::vector<Bytes>& inside) {
    Bytes frame(mfm::kMergedByTimeHeader, 0);
    for (const Bytes& part : inside) frame.insert(frame.end(), part.begin(), part.end());
    mfm::write_header(frame.data(), mfm::kMergedByTime, frame.size(), mfm::kMergedByTimeHeader, 0,
                      static_cast<std::uint32_t>(inside.size()), 0);
    std::memcpy(&frame[16], &time, 6);
    return frame;
}

// A pulse of random height and tail, one way up or the other: some cannot be scored.
inline std::vector<std::uint16_t> make_adc(std::mt19937& random, std::size_t n_samples) {
    std::uniform_real_distribution<double> uniform(0, 1);
    std::normal_distribution<double> noise(0, 3);
    const double sign = uniform(random) < 0.5 ? -1 : 1;
    const double height = 300 + 5000 * uniform(random), tail = 0.4 * uniform(random);
    std::vector<std::uint16_t> adc(n_samples);
    for (std::size_t i = 0; i < n_samples; ++i) {
        const double time = double(i) - 15;
        const double shape = time < 0 ? 0 : (1 - tail) * std::exp(-time / 3) + tail * std::exp(-time / 20);
        adc[i] = static_cast<std::uint16_t>(std::lround(8000 + sign * height * shape + noise(random)));
    }
    return adc;
}

struct Stream {
    Bytes bytes;
    std::vector<std::vector<std::uint16_t>> pulses;  // in the order of the frames
    std::size_t n_frames = 0;                        // merged ones count once
    std::size_t n_passed_on = 0;                     // of them, those that another detector has a part in
};

// Mostly single NEDA frames, now and then an event of several channels, or another detector.
inline Stream make_stream(std::mt19937& random, std::size_t n_frames, std::size_t n_samples) {
    Stream stream;
    const auto neda = [&](std::size_t number) {
        stream.pulses.push_back(make_adc(random, n_samples));
        return make_neda(static_cast<std::uint32_t>(number), 1000 + 17 * number, 100 + number % 4, number % 16,
                         stream.pulses.back());
    };
    for (std::size_t number = 0; number < n_frames; ++number) {
        Bytes frame;
        const unsigned kind = random() % 16;
        if (kind == 0) {
            frame = make_foreign(2 * (random() % 200), static_cast<std::uint8_t>(random()));
            ++stream.n_passed_on;
        } else if (kind == 1) {
            std::vector<Bytes> inside;
            const unsigned n_inside = 2 + random() % 5;
            for (unsigned i = 0; i < n_inside; ++i) inside.push_back(neda(number));
            if (random() % 2) inside.insert(inside.begin() + 1, make_foreign(20, 1));
            stream.n_passed_on += inside.size() > n_inside;
            frame = make_merged(1000 + 17 * number, inside);
        } else {
            frame = neda(number);
        }
        ++stream.n_frames;
        stream.bytes.insert(stream.bytes.end(), frame.begin(), frame.end());
    }
    return stream;
}
