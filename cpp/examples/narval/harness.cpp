// Drives the actor as NARVAL would: loads the library, configures, initialises, starts, hands over blocks of random
// sizes, stops, unloads; and checks what comes out against the engine called directly.
//
//   narval_harness ACTOR.so MODEL.discrimen FOLDER            checks, and pulses a second
//   narval_harness ACTOR.so MODEL.discrimen FOLDER IN OUT     filters a file of frames, in blocks of random sizes
//
// FOLDER gets a discrimen.conf. Build with CMake, or by
//
//   g++ -std=c++17 -O2 -rdynamic harness.cpp mfm_frame.cpp -o narval_harness -ldl
//
// with $(pkg-config --cflags --libs discrimen) at its end.
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string>

#include "discrimen/model.hpp"
#include "narval_actor.h"
#include "test_frames.hpp"

// Every allocation in this process is counted, the actor's too.
static std::atomic<unsigned long> n_allocations{0};
void* operator new(std::size_t size) {
    ++n_allocations;
    if (void* memory = std::malloc(size ? size : 1)) return memory;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++n_allocations;
    return std::malloc(size ? size : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
}

// The library, with NARVAL's order of calls: from the file to initialised, and back.
class Actor {
   public:
    Actor(const std::string& library, const std::string& folder) : library_(dlopen(library.c_str(), RTLD_NOW)) {
        if (!library_) throw std::runtime_error(dlerror());
        unsigned int error = 0;
        std::string path = folder;
        find<decltype(process_config)>("process_config")(path.data(), &error);
        require(error == NARVAL_OK, "process_config failed");
        state_ = find<decltype(process_register)>("process_register")(&error);
        call<decltype(process_initialise)>("process_initialise");
        block_ = find<decltype(process_block)>("process_block");
        unload_ = find<decltype(process_unload)>("process_unload");
    }
    ~Actor() {
        unsigned int error = 0;
        unload_(state_, &error);
        dlclose(library_);
    }
    Actor(const Actor&) = delete;

    void start() { call<decltype(process_start)>("process_start"); }
    void stop() { call<decltype(process_stop)>("process_stop"); }

    // Returns the error code; adds what the actor wrote to `out`, which must have room.
    unsigned block(const std::uint8_t* in, std::size_t size, Bytes& room, std::size_t& used) const {
        unsigned int written = 0, error = 0;
        block_(state_, const_cast<std::uint8_t*>(in), static_cast<unsigned>(size), room.data() + used,
               static_cast<unsigned>(room.size() - used), &written, &error);
        used += written;
        return error;
    }

   private:
    template <class Function>
    Function* find(const char* name) const {
        void* symbol = dlsym(library_, name);
        require(symbol != nullptr, std::string("the actor has no ") + name);
        return reinterpret_cast<Function*>(symbol);
    }
    template <class Function>
    void call(const char* name) {
        unsigned int error = 0;
        find<Function>(name)(state_, &error);
        require(error == NARVAL_OK, std::string(name) + " gave error " + std::to_string(error));
    }

    void* library_;
    narval_state* state_ = nullptr;
    decltype(&process_block) block_ = nullptr;
    decltype(&process_unload) unload_ = nullptr;
};

struct Scored {
    std::uint64_t time;
    float score;
    std::uint8_t decision;
};

struct Result {
    std::vector<Scored> pulses;
    std::size_t n_raw = 0;  // frames as they came in
};

Result read_output(const std::uint8_t* at, const std::uint8_t* end) {
    Result result;
    for (; at < end; at += mfm::frame_size(at)) {
        const mfm::Look look = mfm::look_at(at, end, std::size_t{1} << 24);
        require(look.state == mfm::State::kComplete, "the output is no whole number of frames");
        if (mfm::frame_type(at) != mfm::kScores) {
            ++result.n_raw;
            continue;
        }
        const std::uint8_t* item = at + mfm::kScoreHeader;
        for (std::uint32_t i = 0; i < mfm::n_items(at); ++i, item += mfm::kScoreItem)
            result.pulses.push_back(
                {mfm::load<std::uint64_t>(item) & 0xffffffffffffu, mfm::load<float>(item + 8), item[12]});
    }
    return result;
}

struct Bench {
    std::string library, folder;
    discrimen::Model model;
    std::size_t n_samples;
    bool raw_is_kept;
};

void write_configuration(const Bench& bench, const std::string& model) {
    std::ofstream file(bench.folder + "/discrimen.conf");
    file << "model = " << std::filesystem::absolute(model).string() << "\n";
    file << "output = " << (bench.raw_is_kept ? "raw+scores" : "scores") << "\n";
    require(file.good(), "cannot write discrimen.conf in " + bench.folder);
}

// Neutron scores by the engine itself, from plain samples one behind the other.
std::vector<float> direct_scores(const Bench& bench, const Stream& stream) {
    std::vector<std::uint16_t> plain;
    for (const auto& pulse : stream.pulses) plain.insert(plain.end(), pulse.begin(), pulse.end());
    const std::size_t n_classes = bench.model.n_classes(), neutron = bench.model.class_number("neutron");
    std::vector<float> all(stream.pulses.size() * n_classes), scores;
    discrimen::Workspace workspace(bench.model);
    const auto pulses = discrimen::contiguous(plain.data(), stream.pulses.size(), bench.n_samples);
    require(bench.model.classify(pulses, workspace, all.data()) == DISCRIMEN_OK, "direct call failed");
    for (std::size_t i = 0; i < stream.pulses.size(); ++i) scores.push_back(all[i * n_classes + neutron]);
    return scores;
}

// Which scores pass the first threshold of the model at the heights of their pulses, or 0.5.
std::vector<bool> direct_decisions(const Bench& bench, const Stream& stream, const Result& result) {
    discrimen::Threshold threshold = {"", 0.5, 0, {}};
    for (const discrimen::Output& output : bench.model.outputs())
        if (!output.thresholds.empty()) threshold = output.thresholds[0];
    std::vector<std::uint16_t> plain;
    for (const auto& pulse : stream.pulses) plain.insert(plain.end(), pulse.begin(), pulse.end());
    std::vector<float> heights(stream.pulses.size());
    discrimen::Results results = discrimen_results_to(nullptr);
    results.height_adc = heights.data();
    discrimen::Workspace workspace(bench.model);
    const auto pulses = discrimen::contiguous(plain.data(), stream.pulses.size(), bench.n_samples);
    require(bench.model.run(pulses, workspace, results) == DISCRIMEN_OK, "direct call failed");
    std::vector<bool> passes;
    for (std::size_t i = 0; i < heights.size() && i < result.pulses.size(); ++i)
        passes.push_back(threshold.passes(result.pulses[i].score, double(heights[i])));
    return passes;
}

void compare(const Bench& bench, const Stream& stream, const Result& result) {
    const std::vector<float> expected = direct_scores(bench, stream);
    const std::vector<bool> passes = direct_decisions(bench, stream, result);
    require(result.pulses.size() == expected.size(),
            "expected " + std::to_string(expected.size()) + " pulses, got " + std::to_string(result.pulses.size()));
    const std::size_t n_raw = bench.raw_is_kept ? stream.n_frames : stream.n_passed_on;
    require(result.n_raw == n_raw,
            "expected " + std::to_string(n_raw) + " frames passed on, got " + std::to_string(result.n_raw));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Scored& pulse = result.pulses[i];
        const bool same =
            std::isnan(expected[i]) ? std::isnan(pulse.score) : std::abs(expected[i] - pulse.score) < 1e-5;
        require(same, "pulse " + std::to_string(i) + ": expected " + std::to_string(expected[i]) + ", got " +
                          std::to_string(pulse.score));
        const int decision = std::isnan(pulse.score) ? mfm::kNotScored : passes[i] ? 1 : 0;
        require(pulse.decision == decision, "pulse " + std::to_string(i) + ": wrong decision");
    }
}

// The whole stream in blocks of up to `largest` bytes; no block may fail.
Bytes filtered(const Actor& actor, std::mt19937& random, const Bytes& in, std::size_t largest) {
    Bytes out(2 * in.size() + 4096);
    std::size_t used = 0;
    unsigned error = NARVAL_OK;
    const unsigned long n_before = n_allocations;
    for (std::size_t at = 0, size; at < in.size() && error == NARVAL_OK; at += size) {
        size = std::min<std::size_t>(1 + random() % largest, in.size() - at);
        error = actor.block(in.data() + at, size, out, used);
    }
    const unsigned long n_new = n_allocations - n_before;
    require(error == NARVAL_OK, "process_block gave error " + std::to_string(error));
    require(n_new == 0, "process_block allocated memory " + std::to_string(n_new) + " times");
    out.resize(used);
    return out;
}

void check_random_blocks(const Bench& bench) {
    std::mt19937 random(1);
    const Stream stream = make_stream(random, 3000, bench.n_samples);
    for (const std::size_t largest : {std::size_t{3}, std::size_t{700}, std::size_t{20000}, stream.bytes.size()}) {
        Actor actor(bench.library, bench.folder);
        actor.start();
        const Bytes out = filtered(actor, random, stream.bytes, largest);
        actor.stop();
        compare(bench, stream, read_output(out.data(), out.data() + out.size()));
    }
}

// One frame in ten loses its length or its end, or has stray bytes ahead of it. All whole ones must come through, each
// damage must be reported.
void check_damage(const Bench& bench) {
    std::mt19937 random(2);
    Bytes in;
    Stream whole;
    for (std::uint32_t number = 0; number < 500; ++number) {
        const auto adc = make_adc(random, bench.n_samples);
        Bytes frame = make_neda(number, number, 1, 1, adc);
        const unsigned kind = number % 10 == 5 ? number / 10 % 4 : 4;
        if (kind == 0) std::fill(frame.begin() + 1, frame.begin() + 4, 0);    // a length of nothing
        if (kind == 1) frame[1] = static_cast<std::uint8_t>(frame[1] + 100);  // a length that reaches into the next
        if (kind == 2) std::fill(frame.end() - 4, frame.end(), 0);            // no end
        if (kind == 3) in.insert(in.end(), 1 + random() % 30, 0x55);
        if (kind >= 3) whole.pulses.push_back(adc);
        in.insert(in.end(), frame.begin(), frame.end());
    }
    Actor actor(bench.library, bench.folder);
    actor.start();
    Bytes out(2 * in.size());
    std::size_t used = 0, n_errors = 0;
    for (std::size_t at = 0, size; at < in.size(); at += size) {
        size = std::min<std::size_t>(1 + random() % 3000, in.size() - at);
        n_errors += actor.block(in.data() + at, size, out, used) == NARVAL_DAMAGED_FRAME;
    }
    actor.stop();
    require(n_errors >= 50, "expected 50 reports of damage at least, got " + std::to_string(n_errors));
    compare(bench, whole, read_output(out.data(), out.data() + used));
}

// With too little room nothing is taken: the same block comes through when handed over again.
void check_small_output(const Bench& bench) {
    std::mt19937 random(3);
    const Stream stream = make_stream(random, 200, bench.n_samples);
    Actor actor(bench.library, bench.folder);
    actor.start();
    Bytes out(2 * stream.bytes.size());
    std::size_t used = 0, n_refused = 0;
    for (std::size_t at = 0, size; at < stream.bytes.size(); at += size) {
        size = std::min<std::size_t>(1 + random() % 5000, stream.bytes.size() - at);
        for (std::size_t room = random() % 500;; room *= 2, ++room) {
            Bytes small(room);
            std::size_t written = 0;
            const unsigned error = actor.block(stream.bytes.data() + at, size, small, written);
            std::copy_n(small.begin(), written, out.begin() + static_cast<std::ptrdiff_t>(used));
            used += written;
            if (error == NARVAL_OK) break;
            require(error == NARVAL_OUTPUT_TOO_SMALL && written == 0, "expected nothing but the error");
            ++n_refused;
        }
    }
    actor.stop();
    require(n_refused > 10, "no block was ever refused");
    compare(bench, stream, read_output(out.data(), out.data() + used));
}

void measure(const Bench& bench) {
    std::mt19937 random(4);
    Stream stream;
    while (stream.pulses.size() < 4096) {
        stream.pulses.push_back(make_adc(random, bench.n_samples));
        const Bytes frame = make_neda(0, 0, 1, 1, stream.pulses.back());
        stream.bytes.insert(stream.bytes.end(), frame.begin(), frame.end());
    }
    Actor actor(bench.library, bench.folder);
    actor.start();
    Bytes out(stream.bytes.size());
    std::vector<double> seconds;
    for (int round = 0; round < 20; ++round) {
        const auto start = std::chrono::steady_clock::now();
        std::size_t used = 0;
        actor.block(stream.bytes.data(), stream.bytes.size(), out, used);
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    actor.stop();
    const double best = *std::min_element(seconds.begin(), seconds.end());
    std::printf("%.3g pulses/s, %.3g GB/s of frames (%s, %zu samples a pulse)\n", double(stream.pulses.size()) / best,
                double(stream.bytes.size()) / best * 1e-9, bench.model.instruction_set(), bench.n_samples);
}

void filter_file(const Bench& bench, const std::string& from, const std::string& to) {
    std::ifstream source(from, std::ios::binary);
    require(source.good(), "cannot open " + from);
    const Bytes in((std::istreambuf_iterator<char>(source)), std::istreambuf_iterator<char>());
    Actor actor(bench.library, bench.folder);
    actor.start();
    std::mt19937 random(5);
    const Bytes out = filtered(actor, random, in, 50000);
    actor.stop();
    std::ofstream target(to, std::ios::binary);
    target.write(reinterpret_cast<const char*>(out.data()), static_cast<std::streamsize>(out.size()));
    require(target.good(), "cannot write " + to);
}

void run(int argc, char** argv) {
    Bench bench{argv[1], argv[3], discrimen::Model::load(argv[2]), 232, false};
    bench.n_samples = std::max(bench.n_samples, bench.model.shortest_record());
    write_configuration(bench, argv[2]);
    if (argc == 6) return filter_file(bench, argv[4], argv[5]);
    check_random_blocks(bench);
    check_damage(bench);
    check_small_output(bench);
    measure(bench);
    bench.raw_is_kept = true;
    write_configuration(bench, argv[2]);
    check_random_blocks(bench);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4 && argc != 6) {
        std::fprintf(stderr, "usage: %s ACTOR.so MODEL.discrimen FOLDER [IN OUT]\n", argv[0]);
        return 2;
    }
    try {
        run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
    return 0;
}
