// Records of text: fields, then a fixed number of whole numbers. What is not quite regular is refused, not guessed at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace discrimen::text {

// How records are written. A field ends with field_end, a number with separator; the last of either ends the line.
struct Layout {
    std::vector<std::string> prefixes;  // what stands before the value of each field
    char field_end;
    char separator;
    std::size_t n_numbers;
};

// Where a field lies in the text, and its value, -1 unless it is a plain whole number of up to 18 digits.
struct Field {
    std::int64_t start;
    std::int64_t stop;
    std::int64_t value;
};

constexpr std::size_t tile = 64;
constexpr std::uint64_t most_digits = 5;

inline std::uint64_t load(const char* at, const char* end) {
    std::uint64_t word = 0;
    if (end - at >= static_cast<std::ptrdiff_t>(sizeof word))
        std::memcpy(&word, at, sizeof word);
    else
        std::memcpy(&word, at, static_cast<std::size_t>(end - at));
    return word;
}

// One bit for each of 64 bytes: set where there is no digit.
inline std::uint64_t no_digits(const char* at) {
    std::uint64_t mask = 0;
#if defined(__SSE2__)
    const __m128i lowest = _mm_set1_epi8(static_cast<char>('0' + 128));
    const __m128i nine = _mm_set1_epi8(-128 + 9);
    for (int part = 0; part < 4; ++part) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * part));
        const __m128i above = _mm_cmpgt_epi8(_mm_sub_epi8(bytes, lowest), nine);
        mask |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(above))) << (16 * part);
    }
#else
    for (std::size_t i = 0; i < tile; ++i)
        mask |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i] - '0') > 9) << i;
#endif
    return mask;
}

// The value of the first digits of eight bytes, one to eight.
inline std::uint32_t value_of(std::uint64_t word, std::uint64_t n_digits) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    // Eight digits at once: pairs, then fours, then all; the digits are shifted to the end, with zeros before them.
    word = (word ^ 0x3030303030303030u) << ((64 - 8 * n_digits) & 63);
    word = (word * 2561) >> 8;
    word = ((word & 0x00FF00FF00FF00FFu) * 6553601) >> 16;
    word = ((word & 0x0000FFFF0000FFFFu) * 42949672960001u) >> 32;
    return static_cast<std::uint32_t>(word);
#else
    char digits[sizeof word];
    std::memcpy(digits, &word, sizeof word);
    std::uint32_t value = 0;
    for (std::uint64_t i = 0; i < n_digits && i < sizeof word; ++i)
        value = 10 * value + static_cast<std::uint32_t>(digits[i] - '0');
    return value;
#endif
}

inline std::int64_t plain_value(const char* at, const char* end) {
    if (at == end || end - at > 18) return -1;
    std::int64_t value = 0;
    for (; at < end; ++at) {
        const auto digit = static_cast<unsigned char>(*at - '0');
        if (digit > 9) return -1;
        value = 10 * value + digit;
    }
    return value;
}

// The place behind the newline of a line whose last number ends here, or null. A separator may stand at its end.
inline const char* behind_line(const char* at, const char* end, char separator) {
    if (at < end && *at == separator && separator != '\n') ++at;
    if (at < end && *at == '\r') ++at;
    return at < end && *at == '\n' ? at + 1 : nullptr;
}

// Reads the fields of a record; returns the place behind them, or null.
inline const char* read_fields(const char* at, const char* begin, const char* end, const Layout& layout,
                               Field* fields) {
    for (const std::string& prefix : layout.prefixes) {
        if (static_cast<std::size_t>(end - at) < prefix.size() || std::memcmp(at, prefix.data(), prefix.size()) != 0)
            return nullptr;
        at += prefix.size();
        const char* stop = at;
        while (stop < end && *stop != layout.field_end && static_cast<unsigned char>(*stop) > ' ') ++stop;
        *fields++ = {at - begin, stop - begin, plain_value(at, stop)};
        if (layout.field_end == '\n' && stop < end && *stop == '\r') ++stop;
        if (stop == end || *stop != layout.field_end) return nullptr;
        at = stop + 1;
    }
    return at;
}

// Where the numbers of a record go, and what was met on the way; faults are looked at once, at the end.
struct Numbers {
    std::uint16_t* values;
    std::size_t n_read = 0;
    std::uint32_t largest = 0;
    std::uint64_t faults = 0;

    // `word` holds eight bytes from `at` on.
    void take(const char* at, const char* stop, std::uint64_t word) {
        const auto n_digits = static_cast<std::uint64_t>(stop - at);
        const std::uint32_t value = value_of(word, n_digits);
        faults |= most_digits - n_digits;  // negative where there are too many
        faults |= n_digits - 1;            // and where there are none
        largest |= value;
        values[n_read++] = static_cast<std::uint16_t>(value);
    }

    void expect(char found, char wanted) { largest |= static_cast<std::uint32_t>(found ^ wanted) << 16; }

    bool regular() const { return faults >> 63 == 0 && largest >> 16 == 0; }
};

// Reads numbers but the last ones of a text, 64 bytes at a time; returns the place behind them.
template <bool carriage_returns>
const char* read_most_numbers(const char* at, const char* end, char separator, std::size_t most, Numbers& known) {
    Numbers numbers = known;  // held in registers
    for (const char* part = at; end - part >= static_cast<std::ptrdiff_t>(tile + sizeof(std::uint64_t)); part += tile) {
        for (std::uint64_t mask = no_digits(part); mask != 0; mask &= mask - 1) {
            const char* stop = part + __builtin_ctzll(mask);
            if (carriage_returns && stop < at) continue;
            if (numbers.n_read == most) {
                known = numbers;
                return at;
            }
            std::uint64_t word;
            std::memcpy(&word, at, sizeof word);
            numbers.take(at, stop, word);
            numbers.expect(*stop, carriage_returns ? '\r' : separator);
            if (carriage_returns) numbers.expect(stop[1], separator);
            at = stop + (carriage_returns ? 2 : 1);
        }
    }
    known = numbers;
    return at;
}

// Reads the numbers of a record; returns the place behind its last line, or null.
inline const char* read_numbers(const char* at, const char* end, const Layout& layout, std::uint16_t* values) {
    Numbers numbers{values};
    const char separator = layout.separator;
    const char* first = at;
    while (first < end && static_cast<unsigned char>(*first - '0') <= 9) ++first;
    const bool carriage_returns = separator == '\n' && first < end && *first == '\r';
    const auto most = carriage_returns ? read_most_numbers<true> : read_most_numbers<false>;
    at = most(at, end, separator, layout.n_numbers - 1, numbers);
    while (numbers.regular()) {
        const char* stop = at;
        while (stop < end && static_cast<unsigned char>(*stop - '0') <= 9) ++stop;
        numbers.take(at, stop, load(at, end));
        if (numbers.n_read == layout.n_numbers) return numbers.regular() ? behind_line(stop, end, separator) : nullptr;
        if (carriage_returns && stop < end) numbers.expect(*stop++, '\r');
        if (stop == end) return nullptr;
        numbers.expect(*stop, separator);
        at = stop + 1;
    }
    return nullptr;
}

// Reads all records of a text; returns how many there are, or -1 if anything is not regular or they are too many.
inline std::int64_t read_records(const char* begin, const char* end, const Layout& layout, std::size_t most,
                                 Field* fields, std::uint16_t* numbers) {
    std::size_t n_records = 0;
    for (const char* at = begin; at < end; ++n_records) {
        if (n_records == most) return -1;
        at = read_fields(at, begin, end, layout, fields + n_records * layout.prefixes.size());
        if (at != nullptr) at = read_numbers(at, end, layout, numbers + n_records * layout.n_numbers);
        if (at == nullptr) return -1;
    }
    return static_cast<std::int64_t>(n_records);
}

}  // namespace discrimen::text
