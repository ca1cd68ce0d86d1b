// Frames as GANIL's acquisition moves them (MFM, "MultiFrame Metaformat"), as far as NEDA needs them.
//
// Every frame starts with eight bytes, in the byte order that the first of them names:
//
//     0      metatype: bit 7 set: little-endian; bits 0 to 3: the unit of the sizes is 2^n bytes
//     1-3    size of the whole frame, in units
//     4      source of the data
//     5-6    type of the frame
//     7      revision of this type
//
// A frame with items goes on with
//
//     8-9    size of its header, in units
//     10-11  size of an item, in bytes
//     12-15  number of items
//
// NEDA, type 0x12, one pulse of one channel, header of 44 bytes:
//
//     16-17  location: channel in bits 0 to 3, board from bit 5 on
//     18-21  event number
//     22-27  time stamp, 48 bits
//     28-43  what the firmware found: intervals, TDC, slow and fast integral, flags (byte 40), CFD
//     44-    samples, 232 by default, 16 bits each: ADC value in bits 0 to 13, bit 14 set in every second sample
//            (against slips), bit 15 free
//     then   0xf0f0f0f0
//
// Merged frames, types 0xff01 and 0xff02, hold the frames of one event, one behind the other; number of items is their
// number.
//
// Source: GANIL's library MFMlib (MFMCommonFrame.h, MFMBasicFrame.h, MFMNedaFrame.h, MFMMergeFrame.h, MFMTypes.h) and
// the MFM specification that IN2P3 publishes. Only facts were taken from there.
//
// This example reads little-endian NEDA frames of revision 1 and higher: their samples can be scored where they lie.
//
// Score frame, type 0x0d15, made by this example; little-endian, unit 2 bytes, header of 28 bytes:
//
//     16-19  event number           of the frame that it stands for
//     20-25  time stamp, 48 bits    of the frame that it stands for
//     26-27  type                   of the frame that it stands for
//     28-    items of 16 bytes, one a pulse: 0-5 time stamp, 6-7 location, 8-11 neutron score (float32),
//            12 decision (0 no neutron, 1 neutron, 2 not scored), 13 flags of the firmware, 14-15 zero
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mfm {

constexpr std::uint16_t kNeda = 0x12, kMergedByNumber = 0xff01, kMergedByTime = 0xff02, kScores = 0x0d15;
constexpr std::size_t kCommonHeader = 8, kItemsHeader = 16, kNedaHeader = 44, kScoreHeader = 28, kScoreItem = 16;
constexpr std::size_t kMergedByNumberHeader = 20, kMergedByTimeHeader = 26;
constexpr std::uint32_t kEndOfNeda = 0xf0f0f0f0u;
constexpr std::uint32_t kAdcMask = 0x3fffu;
constexpr std::uint8_t kLittleEndian = 0x80, kUnitOfTwo = 1;

enum Decision : std::uint8_t { kNoNeutron = 0, kNeutron = 1, kNotScored = 2 };

// Little-endian numbers at any address.
template <class T>
T load(const std::uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

template <class T>
void store(std::uint8_t* at, T value) {
    std::memcpy(at, &value, sizeof value);
}

inline bool is_little_endian(const std::uint8_t* frame) { return (frame[0] & kLittleEndian) != 0; }
inline std::size_t unit(const std::uint8_t* frame) { return std::size_t{1} << (frame[0] & 0x0f); }

inline std::size_t frame_size(const std::uint8_t* frame) {
    const std::size_t first = frame[1], middle = frame[2], last = frame[3];
    const std::size_t units =
        is_little_endian(frame) ? first | middle << 8 | last << 16 : last | middle << 8 | first << 16;
    return unit(frame) * units;
}

inline std::uint16_t frame_type(const std::uint8_t* frame) {
    const unsigned first = frame[5], second = frame[6];
    return static_cast<std::uint16_t>(is_little_endian(frame) ? first | second << 8 : second | first << 8);
}

inline std::size_t header_size(const std::uint8_t* frame) { return unit(frame) * load<std::uint16_t>(frame + 8); }
inline std::uint32_t n_items(const std::uint8_t* frame) { return load<std::uint32_t>(frame + 12); }

inline bool is_neda(const std::uint8_t* frame) {
    return is_little_endian(frame) && frame_type(frame) == kNeda && frame[7] >= 1;
}
inline bool is_merged(const std::uint8_t* frame) {
    const std::uint16_t type = frame_type(frame);
    return is_little_endian(frame) && (type == kMergedByNumber || type == kMergedByTime);
}

// What is behind the first bytes of a frame.
inline void write_header(std::uint8_t* frame, std::uint16_t type, std::size_t size, std::size_t header,
                         std::uint16_t item_size, std::uint32_t items, std::uint8_t source) {
    const std::size_t units = size / 2;
    frame[0] = kLittleEndian | kUnitOfTwo;
    frame[1] = static_cast<std::uint8_t>(units);
    frame[2] = static_cast<std::uint8_t>(units >> 8);
    frame[3] = static_cast<std::uint8_t>(units >> 16);
    frame[4] = source;
    store<std::uint16_t>(frame + 5, type);
    frame[7] = 1;
    store<std::uint16_t>(frame + 8, static_cast<std::uint16_t>(header / 2));
    store<std::uint16_t>(frame + 10, item_size);
    store<std::uint32_t>(frame + 12, items);
}

enum class State { kComplete, kCut, kDamaged };

struct Look {
    State state;
    std::size_t size;  // of the frame if complete; bytes needed to go on if cut
};

// Is there a whole frame at `at`? With `known_only`, nothing but NEDA and merged frames is taken for one: so one finds
// the next frame behind damage.
Look look_at(const std::uint8_t* at, const std::uint8_t* end, std::size_t largest, bool known_only = false) noexcept;

// Call `visit` with each frame in a merged one that look_at() found complete.
template <class Visit>
void for_each_inside(const std::uint8_t* merged, Visit visit) {
    const std::uint8_t* at = merged + header_size(merged);
    for (std::uint32_t i = 0; i < n_items(merged); ++i, at += frame_size(at)) visit(at);
}

}  // namespace mfm
