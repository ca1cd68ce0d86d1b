// Mutates frozen files of every kind of layer and loads them: mutate_loader COUNT SEED
//
// An input that makes the loader take more memory than its size warrants, throw anything but an Error, or crash ends
// the program, and so does one that instruction sets disagree on. With DISCRIMEN_KEEP=FOLDER the input that did it is
// left there; those that were found are in tests/found, and `mutate_loader replay FOLDER` runs them again.
// `mutate_loader seeds FOLDER` writes the files that it starts from, for other fuzzers.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <set>

#include "allocations.hpp"
#include "check.hpp"
#include "loader_limit.hpp"
#include "loader_target.hpp"
#include "networks.hpp"

namespace {

using frozen::Bytes;
using networks::Random;

constexpr std::size_t head_bytes = 16, entry_bytes = 24, n_sections = 6;

std::vector<Bytes> seed_files() {
    std::vector<Bytes> files;
    for (const std::uint32_t code : networks::every_code) {
        Random random(code);
        files.push_back(frozen::write(networks::small_network(random, code)));
    }
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        Random random(1000 + seed);
        files.push_back(frozen::write(networks::random_graph(random)));
        files.push_back(frozen::write(networks::several_channels(random)));
    }
    return files;
}

std::size_t place_in(const Bytes& bytes, Random& random) { return random.bits() % bytes.size(); }

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
    if (at + sizeof value <= bytes.size()) std::memcpy(bytes.data() + at, &value, sizeof value);
}

std::uint64_t table_entry(const Bytes& bytes, std::size_t section, std::size_t which) {
    std::uint64_t value = 0;
    const std::size_t at = head_bytes + section * entry_bytes + 8 + 8 * which;
    if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

void flip_bits(Bytes& bytes, Random& random) {
    for (int i = random.integer(1, 4); i > 0; --i)
        bytes[place_in(bytes, random)] ^= std::uint8_t(1 << random.integer(0, 7));
}

std::uint32_t interesting(Random& random) {
    static const std::uint32_t values[] = {
        0,          1,          2,          3,          4,          7,          8,          15,         16,
        17,         64,         255,        1000,       65535,      0x00ffffff, 0x01000000, 0x7fffffff, 0x80000000,
        0xfffffffe, 0xffffffff, 0x7fc00000, 0x7f800000, 0x00800000, 0x7f7fffff, 0x3f800000};
    return values[random.bits() % (sizeof values / sizeof *values)];
}

// In one section that the loader reads as numbers, a word by its value or a neighbour of it.
void overwrite_word(Bytes& bytes, Random& random) {
    const auto section = std::size_t(random.integer(0, n_sections));
    std::uint64_t start = 0, length = bytes.size();
    if (section < n_sections) start = table_entry(bytes, section, 0), length = table_entry(bytes, section, 1);
    if (start > bytes.size() || length < 4 || length > bytes.size()) return;
    const std::size_t at = start + random.bits() % (length / 4) * 4;
    if (random.once_in(8)) return put(bytes, at, random.once_in(2) ? std::numeric_limits<double>::quiet_NaN() : 1e300);
    if (random.once_in(3) && at + 4 <= bytes.size()) {
        std::uint32_t value;
        std::memcpy(&value, bytes.data() + at, sizeof value);
        return put(bytes, at, value + std::uint32_t(random.integer(-2, 2)));
    }
    put(bytes, at, interesting(random));
}

void edit_table(Bytes& bytes, Random& random) {
    const auto section = std::size_t(random.integer(0, n_sections - 1)), which = std::size_t(random.integer(0, 1));
    const std::uint64_t value = random.once_in(3) ? ~std::uint64_t(0) - random.bits() % 100
                                : random.once_in(2)
                                    ? table_entry(bytes, section, which) + std::uint64_t(random.integer(-70, 70))
                                    : random.bits() % (2 * bytes.size());
    put(bytes, head_bytes + section * entry_bytes + 8 + 8 * which, value);
}

void cut(Bytes& bytes, Random& random) { bytes.resize(place_in(bytes, random) + 1); }

// A piece of another file, or of this one, over this one.
void splice(Bytes& bytes, const Bytes& other, Random& random) {
    const std::size_t from = place_in(other, random);
    const std::size_t to = random.once_in(2) ? std::min(from, bytes.size() - 1) : place_in(bytes, random) / 4 * 4;
    const std::size_t length = std::min({std::size_t(random.integer(1, 300)), other.size() - from, bytes.size() - to});
    std::copy_n(other.begin() + std::ptrdiff_t(from), length, bytes.begin() + std::ptrdiff_t(to));
}

// Whole sections of two files exchanged: each is right by itself.
void swap_section(Bytes& bytes, const Bytes& other, Random& random) {
    const auto section = std::size_t(random.integer(0, n_sections - 1));
    const std::uint64_t start = table_entry(other, section, 0), length = table_entry(other, section, 1);
    if (start > other.size() || length > other.size() - start) return;
    const std::size_t at = (bytes.size() + 63) / 64 * 64;
    bytes.resize(at);
    bytes.insert(bytes.end(), other.begin() + std::ptrdiff_t(start), other.begin() + std::ptrdiff_t(start + length));
    bytes.resize(bytes.size() + 32);
    put(bytes, head_bytes + section * entry_bytes + 8, std::uint64_t(at));
    put(bytes, head_bytes + section * entry_bytes + 16, length);
}

Bytes mutated(const std::vector<Bytes>& files, Random& random) {
    Bytes bytes = files[random.bits() % files.size()];
    const Bytes& other = files[random.bits() % files.size()];
    for (int i = random.integer(1, 3); i > 0; --i) switch (random.integer(0, 9)) {
            case 0:
            case 1: flip_bits(bytes, random); break;
            case 2: edit_table(bytes, random); break;
            case 3: random.once_in(4) ? cut(bytes, random) : flip_bits(bytes, random); break;
            case 4: splice(bytes, other, random); break;
            case 5: swap_section(bytes, other, random); break;
            default: overwrite_word(bytes, random);
        }
    if (!random.once_in(20)) frozen::seal(bytes);
    return bytes;
}

// A reason without its figures, to tell one kind from another.
std::string kind_of(std::string reason) {
    reason.erase(std::remove_if(reason.begin(), reason.end(), [](unsigned char c) { return std::isdigit(c); }),
                 reason.end());
    return reason;
}

void check_memory(std::size_t taken, std::size_t size, int number) {
    if (taken <= most_bytes_for(size)) return;
    std::cerr << "input " << number << " of " << size << " bytes made the loader take " << taken << " bytes\n";
    std::abort();
}

// The input that is being tried: what is left of it is the one that ended the program.
void keep(const Bytes& bytes) {
    const char* folder = std::getenv("DISCRIMEN_KEEP");
    if (!folder) return;
    std::ofstream(std::string(folder) + "/last.discrimen", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
}

int mutate(int count, std::uint32_t seed) {
    const std::vector<Bytes> files = seed_files();
    Random random(seed);
    std::set<std::string> reasons;
    std::size_t n_loaded = 0, most_taken = 0;
    for (int number = 0; number < count; ++number) {
        const Bytes bytes = mutated(files, random);
        const std::size_t before = allocations::live_bytes();
        allocations::reset_peak();
        const std::string reason = check::reason_of([&] { discrimen::Model::from_memory(bytes.data(), bytes.size()); });
        const std::size_t taken = allocations::peak_bytes() - before;
        keep(bytes);
        loader_target::load_and_run(bytes);
        check_memory(taken, bytes.size(), number);
        most_taken = std::max(most_taken, taken);
        n_loaded += reason.empty();
        if (!reason.empty()) reasons.insert(kind_of(reason));
    }
    std::cout << count << " inputs: " << count - int(n_loaded) << " refused for " << reasons.size()
              << " kinds of reasons, " << n_loaded << " loaded, at most " << most_taken << " bytes taken\n";
    return 0;
}

// Loads and runs the files that were found to break something once.
int replay(const std::string& folder) {
    int n_files = 0;
    if (!std::filesystem::is_directory(folder)) return 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const Bytes bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        std::cout << entry.path().filename().string() << ": " << loader_target::load_and_run(bytes) << "\n";
        ++n_files;
    }
    std::cout << n_files << " files\n";
    return 0;
}

int write_seeds(const std::string& folder) {
    int number = 0;
    for (const Bytes& bytes : seed_files())
        std::ofstream(folder + "/" + std::to_string(number++) + ".discrimen", std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: mutate_loader COUNT SEED, or mutate_loader seeds|replay FOLDER\n";
        return 2;
    }
    if (std::string(argv[1]) == "seeds") return write_seeds(argv[2]);
    if (std::string(argv[1]) == "replay") return replay(argv[2]);
    if (!allocations::can_count()) std::cout << "memory is not counted with this C library\n";
    return mutate(std::stoi(argv[1]), std::uint32_t(std::stoul(argv[2])));
}
