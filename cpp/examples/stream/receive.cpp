// Takes the results of "discrimen stream -o ADDRESS", and answers each message with a receipt, as the stream waits for.
//
//   receive tcp://127.0.0.1:5580 tcp://127.0.0.1:5581
//
// The second address is that of the receipts: the port behind the first one. This receiver forgets everything when it
// ends; one that must not would write the results to disk before it sends the receipt, and begin with what is there.
#include <zmq.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

#include "message.h"

int main(int argc, char** argv) {
    if (argc != 3) return std::fprintf(stderr, "usage: receive ADDRESS ADDRESS_OF_RECEIPTS\n"), 2;
    void* context = zmq_ctx_new();
    void* messages = zmq_socket(context, ZMQ_PULL);
    void* receipts = zmq_socket(context, ZMQ_PUB);
    if (zmq_bind(messages, argv[1]) != 0 || zmq_bind(receipts, argv[2]) != 0) return std::perror(argv[1]), 1;

    std::map<std::uint64_t, std::uint64_t> n_kept;  // messages, by source
    unsigned long long n_pulses = 0, n_neutrons = 0, n_lost = 0;
    for (bool stopped = false; !stopped;) {
        std::vector<std::vector<char>> parts;
        int more = 1;
        for (std::size_t size = sizeof more; more; zmq_getsockopt(messages, ZMQ_RCVMORE, &more, &size)) {
            zmq_msg_t part;
            zmq_msg_init(&part);
            zmq_msg_recv(&part, messages, 0);
            const char* data = static_cast<const char*>(zmq_msg_data(&part));
            parts.emplace_back(data, data + zmq_msg_size(&part));
            zmq_msg_close(&part);
        }
        Head head;
        if (parts[0].size() != sizeof head || std::memcmp(parts[0].data(), head.magic, sizeof head.magic) != 0)
            continue;
        std::memcpy(&head, parts[0].data(), sizeof head);
        std::uint64_t& next = n_kept[head.source];
        const bool can_send_again = head.flags & 1, is_lost = head.kind != hello && head.sequence > next;
        const bool again = head.kind == hello || (is_lost && can_send_again);
        if (!again && head.sequence >= next) {
            n_lost += head.sequence - next;
            next = head.sequence + 1;
            stopped = head.kind == stop;
            n_pulses += head.n_pulses;
            // parts: head, columns of the pulses, values of all outputs (float), domain, class (int8, neutron 1), JSON
            if (head.kind == results)
                for (char number : parts[4]) n_neutrons += number == 1;
        }
        head.kind = receipt;
        head.sequence = next;
        head.sample_type = again;
        head.window = 32;
        zmq_send(receipts, &head, sizeof head, 0);
    }
    std::printf("%llu pulses, %llu neutrons, %llu messages lost\n", n_pulses, n_neutrons, n_lost);
    zmq_close(messages);
    zmq_close(receipts);
    zmq_ctx_term(context);
}
