#include "allocations.hpp"

#include <malloc.h>

#include <atomic>
#include <cerrno>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOOKS_OF_SANITIZER
#elif __has_feature(thread_sanitizer) || __has_feature(realtime_sanitizer)
#define NOTHING_TO_COUNT
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HOOKS_OF_SANITIZER
#elif defined(__SANITIZE_THREAD__)
#define NOTHING_TO_COUNT
#endif

namespace {

std::atomic<std::size_t> n_allocations{0}, live{0}, peak{0};

[[maybe_unused]] void note_taken(std::size_t size) {
    ++n_allocations;
    const std::size_t now = live += size;
    std::size_t before = peak;
    while (now > before && !peak.compare_exchange_weak(before, now)) {
    }
}

[[maybe_unused]] void note_freed(std::size_t size) { live -= size; }

}  // namespace

namespace allocations {

std::size_t count() { return n_allocations; }
std::size_t live_bytes() { return live; }
std::size_t peak_bytes() { return peak; }
void reset_peak() { peak = live.load(); }

}  // namespace allocations

#if defined(HOOKS_OF_SANITIZER)

extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*taken)(const volatile void*, std::size_t),
                                              void (*freed)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void* at);
}

bool allocations::can_count() {
    static const bool installed =
        __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t size) { note_taken(size); },
                                                  [](const volatile void* at) {
                                                      if (at) note_freed(__sanitizer_get_allocated_size(at));
                                                  }) != 0;
    return installed;
}

#elif defined(__GLIBC__) && !defined(NOTHING_TO_COUNT)

bool allocations::can_count() { return true; }

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* at);

static void* noted(void* at) {
    if (at) note_taken(malloc_usable_size(at));
    return at;
}

void* malloc(std::size_t size) { return noted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return noted(__libc_calloc(count, size)); }
void* memalign(std::size_t alignment, std::size_t size) { return noted(__libc_memalign(alignment, size)); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return noted(__libc_memalign(alignment, size)); }

int posix_memalign(void** at, std::size_t alignment, std::size_t size) {
    *at = noted(__libc_memalign(alignment, size));
    return *at ? 0 : ENOMEM;
}

void* realloc(void* old, std::size_t size) {
    const std::size_t before = old ? malloc_usable_size(old) : 0;
    void* at = __libc_realloc(old, size);
    if (at || size == 0) note_freed(before);
    return noted(at);
}

void free(void* at) {
    if (at) note_freed(malloc_usable_size(at));
    __libc_free(at);
}

}  // extern "C"

#else

bool allocations::can_count() { return false; }

#endif
