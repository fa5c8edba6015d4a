// SPDX-License-Identifier: Apache-2.0
#include <sentencepiece_processor.h>

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

extern "C" {
#include "spm.h"
}

struct spm {
	sentencepiece::SentencePieceProcessor p;
};

static int failed(const sentencepiece::util::Status &status, struct err *e)
{
	return err_set(e, SFT_BADDATA, "SentencePiece: %s", status.ToString().c_str());
}

/* What the library throws where it does not return a status: a trie that cannot be made of the pieces, no memory. */
static int thrown(const std::exception &x, struct err *e)
{
	return err_set(e, dynamic_cast<const std::bad_alloc *>(&x) ? SFT_SYSTEM : SFT_BADDATA, "SentencePiece: %s", x.what());
}

extern "C" int spm_open(struct spm **out, const void *model, size_t n, struct err *e)
{
	*out = nullptr;
	try {
		std::unique_ptr<struct spm> s(new struct spm);
		const auto status = s->p.LoadFromSerializedProto(absl::string_view(static_cast<const char *>(model), n));

		if (!status.ok())
			return failed(status, e);
		*out = s.release();
		return 0;
	} catch (const std::exception &x) {
		return thrown(x, e);
	}
}

extern "C" void spm_close(struct spm *s)
{
	delete s;
}

extern "C" uint32_t spm_size(const struct spm *s)
{
	return static_cast<uint32_t>(s->p.GetPieceSize());
}

extern "C" const char *spm_piece(const struct spm *s, uint32_t id, size_t *n, enum spm_kind *kind)
{
	const int i = static_cast<int>(id);
	const std::string &text = s->p.IdToPiece(i);

	*n = text.size();
	*kind = s->p.IsUnknown(i) ? SPM_UNKNOWN : s->p.IsControl(i) ? SPM_CONTROL : s->p.IsByte(i) ? SPM_BYTE : s->p.IsUnused(i) ? SPM_UNUSED : SPM_NORMAL;
	return text.data();
}

extern "C" int32_t spm_bos(const struct spm *s) { return s->p.bos_id(); }
extern "C" int32_t spm_eos(const struct spm *s) { return s->p.eos_id(); }
extern "C" int32_t spm_pad(const struct spm *s) { return s->p.pad_id(); }

extern "C" float spm_score(const struct spm *s, uint32_t id) { return s->p.GetScore(static_cast<int>(id)); }

extern "C" int spm_bytes(const struct spm *s, struct buf *out, struct err *e)
try {
	const auto bytes = s->p.serialized_model_proto();

	buf_add(out, bytes.data(), bytes.size());
	return 0;
} catch (const std::exception &x) {
	return thrown(x, e);
}

extern "C" int spm_to_ids(const struct spm *s, const char *text, size_t n, void (*put)(void *ctx, const int *ids, size_t n), void *ctx, struct err *e)
try {
	std::vector<int> ids;
	const auto status = s->p.Encode(absl::string_view(text, n), &ids);

	if (!status.ok())
		return failed(status, e);
	put(ctx, ids.data(), ids.size());
	return 0;
} catch (const std::exception &x) {
	return thrown(x, e);
}

extern "C" int spm_to_places(const struct spm *s, const char *text, size_t n, void (*put)(void *ctx, uint32_t id, size_t start, size_t end), void *ctx, struct err *e)
try {
	sentencepiece::ImmutableSentencePieceText t;
	const auto status = s->p.Encode(absl::string_view(text, n), t.mutable_proto());

	if (!status.ok())
		return failed(status, e);
	const size_t count = t.pieces_size();
	for (size_t i = 0; i < count; i++) {
		const auto piece = t.pieces(static_cast<int>(i));
		put(ctx, piece.id(), piece.begin(), piece.end());
	}
	return 0;
} catch (const std::exception &x) {
	return thrown(x, e);
}

extern "C" int spm_to_text(const struct spm *s, const uint32_t *ids, size_t n, struct buf *out, struct err *e)
try {
	const std::vector<int> v(ids, ids + n);
	std::string text;
	const auto status = s->p.Decode(v, &text);

	if (!status.ok())
		return failed(status, e);
	buf_add(out, text.data(), text.size());
	return 0;
} catch (const std::exception &x) {
	return thrown(x, e);
}
