// The library of a GPU played by the host: the same arithmetic, tiles, pieces and lanes, for tests. What is asked of a
// stream is done as late as possible, when somebody waits for it, so that a buffer that is used again too early is
// seen.
//
// DISCRIMEN_EMULATED_ORDER: forward, reverse, or a number that shuffles the items of each phase. A result that depends
// on it would be a race of threads. DISCRIMEN_EMULATED_FAULT: what goes wrong, see below. Both are read by open; the
// fault "lost now" at every wait.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "backends/cuda/arithmetic/chain.hpp"
#include "backends/cuda/arithmetic/network.hpp"
#include "backends/cuda/serve.hpp"
#include "discrimen/discrimen.h"

namespace discrimen::cuda {
namespace {

std::string setting(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

// One thread that does the work of a block.
class Team {
   public:
    explicit Team(const std::string& order) : reverse_(order == "reverse") {
        if (order != "forward" && order != "reverse")
            shuffle_ = std::uint32_t(std::strtoul(order.c_str(), nullptr, 10)) * 2 + 40503;
    }

    template <class F>
    void each(std::uint32_t count, F item) const {
        if (shuffle_ == 0) {
            for (std::uint32_t i = 0; i < count; ++i) item(reverse_ ? count - 1 - i : i);
            return;
        }
        // Steps that share no factor with the number of items come to each of them once.
        std::uint32_t step = shuffle_ % (count > 0 ? count : 1);
        while (shared_factor(step, count) > 1) ++step;
        std::uint64_t at = shuffle_ / 7 % (count > 0 ? count : 1);
        for (std::uint32_t i = 0; i < count; ++i, at = (at + step) % count) item(std::uint32_t(at));
    }

   private:
    static std::uint32_t shared_factor(std::uint32_t one, std::uint32_t other) {
        return other == 0 ? one : shared_factor(other, one % other);
    }

    bool reverse_;
    std::uint32_t shuffle_ = 0;
};

struct Command {
    enum { copy_rows, launch } kind;
    char* to;
    const char* from;
    std::size_t rows, row_bytes, pitch;
    Job job;
};

// Where the memory of all devices lies, so that its addresses are known as such.
struct Registry {
    std::mutex lock;
    std::map<const char*, std::pair<std::size_t, bool>> pieces;
};

Registry& registry() {
    static Registry all;
    return all;
}

class Device {
   public:
    struct Stream {
        Command waiting[4];
        int n_waiting = 0;
    };

    // Small, so that few pulses go through several pieces and lanes.
    static constexpr std::size_t sample_bytes = 8192, result_bytes = 4096, most_pulses = 48, small_batch = 3;

    explicit Device(int number)
        : order_(setting("DISCRIMEN_EMULATED_ORDER")), fault_(setting("DISCRIMEN_EMULATED_FAULT")) {
        if (fault_ == "no driver") throw Refusal("there is no driver of NVIDIA on this machine");
        if (number >= n_devices) throw Refusal("there are " + std::to_string(n_devices) + " devices, counted from 0");
        tile_memory_ = new char[most_shared];
    }
    ~Device() { delete[] tile_memory_; }
    Device(const Device&) = delete;

    static int n_operations_known() {
        return setting("DISCRIMEN_EMULATED_FAULT") == "lacks a layer" ? 0 : int(Kind::neighbours) + 1;
    }

    const char* name() const { return "emulated on the host"; }
    struct Entered {
        explicit Entered(const Device&) {}
        ~Entered() {}  // NOLINT(modernize-use-equals-default): so a variable of it counts as used
    };
    std::size_t shared_bytes() const { return most_shared; }
    std::size_t n_blocks(const TileChoice&) const { return 3; }
    std::size_t n_chain_blocks(const TileShape&) const { return 2; }
    bool failed() const { return failed_; }
    void give_up() { failed_ = true; }

    void* allocate(std::size_t size, bool on_device) {
        if (fault_ == "no memory for the model" || (fault_ == "no memory for a workspace" && n_allocated_ > 0))
            return nullptr;
        ++n_allocated_;
        char* memory = static_cast<char*>(std::aligned_alloc(64, (size + 63) / 64 * 64));
        if (!memory) return nullptr;
        std::memset(memory, 0x7f, size);
        const std::lock_guard<std::mutex> guard(registry().lock);
        registry().pieces[memory] = {size, on_device};
        return memory;
    }
    void release(void* memory, bool) {
        {
            const std::lock_guard<std::mutex> guard(registry().lock);
            registry().pieces.erase(static_cast<char*>(memory));
        }
        std::free(memory);
    }

    bool is_on_device(const void* at) const { return lies(at, true); }
    bool is_pinned(const void* at) const { return lies(at, false); }

    bool open_streams(Stream*, int) { return true; }
    void close_streams(Stream*, int) {}

    bool copy_now(void* to, const void* from, std::size_t size) {
        std::memcpy(to, from, size);
        return true;
    }
    bool copy(Stream& stream, char* to, const char* from, std::size_t size, bool) {
        return copy_rows(stream, to, from, 1, size, size);
    }
    bool copy_rows(Stream& stream, char* to, const char* from, std::size_t rows, std::size_t row_bytes,
                   std::size_t pitch) {
        return add(stream, {Command::copy_rows, to, from, rows, row_bytes, pitch, {}});
    }
    bool launch(Stream& stream, const Job& job, char* tiles) {
        return add(stream, {Command::launch, tiles, nullptr, 0, 0, 0, job});
    }

    bool wait(Stream& stream) {
        for (int i = 0; i < stream.n_waiting; ++i) do_now(stream.waiting[i]);
        stream.n_waiting = 0;
        const bool lost = (fault_ == "lost" && ++n_waits_ > 2) || setting("DISCRIMEN_EMULATED_FAULT") == "lost now";
        return !lost;
    }

   private:
    static constexpr int n_devices = 2;
    static constexpr std::size_t most_shared = 96 * 1024;

    static bool lies(const void* at, bool on_device) {
        const std::lock_guard<std::mutex> guard(registry().lock);
        auto piece = registry().pieces.upper_bound(static_cast<const char*>(at));
        if (piece == registry().pieces.begin()) return false;
        --piece;
        return piece->second.second == on_device && static_cast<const char*>(at) < piece->first + piece->second.first;
    }

    bool add(Stream& stream, const Command& command) {
        if (stream.n_waiting == int(sizeof stream.waiting / sizeof stream.waiting[0])) return false;
        stream.waiting[stream.n_waiting++] = command;
        return true;
    }

    void do_now(const Command& command) {
        if (command.kind == Command::copy_rows) {
            for (std::size_t row = 0; row < command.rows; ++row)
                std::memcpy(command.to + row * command.row_bytes, command.from + row * command.pitch,
                            command.row_bytes);
            return;
        }
        const Job& job = command.job;
        const std::lock_guard<std::mutex> guard(busy_);
        char* memory = command.to ? command.to : tile_memory_;
        const std::size_t n_tiles = (job.view.n_pulses + job.shape.width - 1) / job.shape.width;
        Team(order_).each(std::uint32_t(n_tiles), [&](std::uint32_t number) {
            std::memset(memory, 0x7f, job.shape.bytes);  // what a tile has not written is not its own
            if (job.chain)
                run_chain_tile(Team(order_), job, number, memory);
            else
                run_tile(Team(order_), job, number, memory);
        });
    }

    std::string order_, fault_;
    char* tile_memory_;
    std::mutex busy_;
    std::atomic<bool> failed_{false};
    std::atomic<int> n_allocated_{0}, n_waits_{0};
};

}  // namespace
}  // namespace discrimen::cuda

extern "C" __attribute__((visibility("default"))) const discrimen::cuda::Table* discrimen_cuda_table() {
    static discrimen::cuda::Table table;
    table = discrimen::cuda::Served<discrimen::cuda::Device>::table();
    if (discrimen::cuda::setting("DISCRIMEN_EMULATED_FAULT") == "another version") table.engine_version = "0.0.1";
    return &table;
}
