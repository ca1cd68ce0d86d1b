// Sends blocks of made-up pulses to "discrimen stream --input ADDRESS": what an acquisition would do.
//
//   send tcp://127.0.0.1:5570 100
//
// This sender keeps no log, so what a killed stream loses is counted there and not sent again.
#include <zmq.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "message.h"

constexpr std::uint32_t n_pulses = 1000, n_samples = 75;
constexpr std::int64_t apart_ps = 10'000'000;

int main(int argc, char** argv) {
    if (argc != 3) return std::fprintf(stderr, "usage: send ADDRESS BLOCKS\n"), 2;
    const auto n_blocks = std::strtoull(argv[2], nullptr, 10);
    void* context = zmq_ctx_new();
    void* socket = zmq_socket(context, ZMQ_PUSH);
    const int immediate = 1;  // nothing is queued for a receiver that is not there
    zmq_setsockopt(socket, ZMQ_IMMEDIATE, &immediate, sizeof immediate);
    if (zmq_connect(socket, argv[1]) != 0) return std::perror(argv[1]), 1;

    std::vector<std::uint16_t> samples(n_pulses * n_samples);
    std::vector<Columns> columns(n_pulses);
    Head head;
    head.kind = pulses;
    head.source = 1;
    head.n_pulses = n_pulses;
    head.n_samples = n_samples;
    head.sample_type = 1;  // uint16
    head.sample_period_ns = 10;
    for (; head.sequence < n_blocks; ++head.sequence) {
        for (std::uint32_t i = 0; i < n_pulses; ++i) {
            const auto entry = std::int64_t(head.sequence * n_pulses + i);
            columns[i] = {entry * apart_ps, entry, 0, 0, std::uint16_t(i % 16)};
            for (std::uint32_t k = 0; k < n_samples; ++k) {
                const double t = k < 16 ? 0 : (k - 15.0) * std::exp(-(k - 15.0) / (3 + i % 4));
                samples[i * n_samples + k] = std::uint16_t(14000 - 200.0 * (1 + i % 9) * t);
            }
        }
        head.begin_ps = head.end_ps;
        head.end_ps = (columns.back().entry + 1) * apart_ps;  // the next block begins here
        zmq_send(socket, &head, sizeof head, ZMQ_SNDMORE);
        zmq_send(socket, columns.data(), columns.size() * sizeof(Columns), ZMQ_SNDMORE);
        zmq_send(socket, samples.data(), samples.size() * sizeof samples[0], 0);
    }
    head.kind = stop;  // a message of its own, so that the last pulse is never lost
    head.begin_ps = head.end_ps;
    head.n_pulses = head.n_samples = 0;
    zmq_send(socket, &head, sizeof head, 0);
    zmq_close(socket);
    zmq_ctx_term(context);  // waits until everything is sent
    std::printf("%llu pulses sent\n", n_blocks * n_pulses);
}
