/* SPDX-License-Identifier: Apache-2.0 */
/* Streams as queues.  Eagerly, work is done when it is asked for; lazily, nothing is done before a stream is waited for, and then only that stream's work and
 * what its events ask of others: a synchronisation that is missing gives wrong results. */
#include "emu.h"

#include <deque>
#include <vector>

struct emu_stream {
	std::deque<std::function<void()>> work;
	uint64_t asked, done;                   /* pieces of work, counted from the beginning */
};
struct emu_event {
	cudaStream_t stream;
	uint64_t at;
};
static std::vector<cudaStream_t> streams;

static void drain(cudaStream_t s, uint64_t upto)
{
	while (s->done < upto && !s->work.empty()) {
		std::function<void()> f = std::move(s->work.front());

		s->work.pop_front();
		f();
		s->done++;
	}
}

static void push(cudaStream_t s, std::function<void()> f)
{
	if (s == NULL)
		emu_die("work without a stream");
	s->asked++;
	s->work.push_back(std::move(f));
	if (!emu_settings.lazy)
		drain(s, s->asked);
}

void emu_queue(cudaStream_t s, std::function<void()> work)
{
	push(s, [work = std::move(work)] {
		emu_memory_open();
		work();
		emu_memory_close();
	});
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t s)
{
	emu_argument("cudaMemcpyAsync", kind == cudaMemcpyDeviceToHost ? from : to);
	if (kind == cudaMemcpyDeviceToDevice)
		emu_argument("cudaMemcpyAsync", from);
	emu_queue(s, [=] {
		memcpy(to, from, bytes);
		emu_guards("cudaMemcpyAsync");
	});
	return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t s)
{
	emu_argument("cudaMemsetAsync", p);
	emu_queue(s, [=] {
		memset(p, value, bytes);
		emu_guards("cudaMemsetAsync");
	});
	return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags)
{
	(void)flags;
	*s = new struct emu_stream();
	streams.push_back(*s);
	return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
	drain(s, s->asked);
	return cudaSuccess;
}

/* The last stream first. */
cudaError_t cudaDeviceSynchronize(void)
{
	for (size_t i = streams.size(); i-- > 0; )
		drain(streams[i], streams[i]->asked);
	return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
	cudaStreamSynchronize(s);
	for (size_t i = 0; i < streams.size(); i++)
		if (streams[i] == s)
			streams.erase(streams.begin() + (long)i--);
	delete s;
	return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags)
{
	(void)flags;
	*e = new struct emu_event();
	return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
	delete e;
	return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
	*e = { s, s->asked };
	return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
	if (e->stream)
		drain(e->stream, e->at);
	return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags)
{
	struct emu_event as = *e;

	(void)flags;
	if (as.stream)
		push(s, [as] { drain(as.stream, as.at); });
	return cudaSuccess;
}
