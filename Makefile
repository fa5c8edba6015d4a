# SPDX-License-Identifier: Apache-2.0
# sft: make, make check, make demo, make install PREFIX=; see README.md.

CC        ?= gcc
CXX       ?= g++
PREFIX    ?= /usr/local
BUILD     ?= build
DEPS      ?= 1
NVCC      ?= $(firstword $(shell command -v nvcc 2>/dev/null) $(wildcard /usr/local/cuda/bin/nvcc) nvcc)
CUDA      ?= $(if $(shell command -v $(NVCC) 2>/dev/null),1,0)
# Compute capabilities that sft-cuda.so has code for; PTX of the last but one serves those that come later.
CUDA_ARCHS ?= 80 86 89 90 100
OPT       ?= -O3 -g
WARN      := -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wundef
STRICT    := -Wstrict-prototypes -Wmissing-prototypes
SANITIZE  ?=
V         ?= 0
ifeq ($(V),0)
Q := @
say = @echo "  $(1)"
endif

DIRS      := lib/base lib/text lib/rec lib/tok lib/file lib/score prep train eval kernels
INC       := $(addprefix -I,$(DIRS) $(BUILD)/gen)
PKGS      := libpcre2-8 icu-uc icu-i18n libzstd zlib libxxhash simdjson yaml-0.1 sentencepiece opencc sqlite3
PKGCFLAGS  = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKGLIBS    = $(shell pkg-config --libs $(PKGS) 2>/dev/null)
# No -ffast-math: results are the same on every machine and for every number of threads.
CPPFLAGS  += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(INC)
CFLAGS    += -std=c11 $(OPT) $(WARN) $(STRICT) -ffp-contract=off -fno-math-errno -pthread $(SANITIZE)
CXXFLAGS  += -std=c++17 $(OPT) $(WARN) -pthread $(SANITIZE)
LDFLAGS   += -pthread -Wl,--as-needed $(SANITIZE)
LDLIBS     = $(PKGLIBS) -lstdc++ -lm -ldl

ifeq ($(shell uname -m),x86_64)
# One file per instruction set; picked at run time (kernels/).
ISA = $(if $(filter %_avx2.o,$@),-mavx2 -mfma -mf16c) \
      $(if $(filter %_avx512.o,$@),-march=skylake-avx512 -mprefer-vector-width=512) \
      $(if $(filter %_avx512bf16.o,$@),-march=cooperlake -mprefer-vector-width=512)
endif

SRC       := $(wildcard $(addsuffix /*.c,$(DIRS)) $(addsuffix /*.cc,$(DIRS)))
MAINS     := $(wildcard $(addsuffix /sft-*.c,$(DIRS))) lib/sft.c
# What is loaded on request, each a shared object beside the programs.
DOORS     := train/mpidoor.c
LIBSRC    := $(filter-out $(MAINS) $(DOORS),$(SRC))
PROGS     := $(sort $(addprefix $(BUILD)/bin/,$(notdir $(basename $(MAINS)))))
obj        = $(addprefix $(BUILD)/obj/,$(addsuffix .o,$(basename $(1))))
# Lower layers last: each archive may need those after it.
ARCHIVES  := $(foreach d,eval prep train kernels score rec tok file text base,$(BUILD)/obj/lib$(d).a)

UNITS     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*.c))
OPSTESTS  := $(patsubst tests/ops/%.c,$(BUILD)/tests/%,$(wildcard tests/ops/*.c))
FUZZERS   := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(filter-out tests/fuzz/driver.c,$(wildcard tests/fuzz/*.c)))
CUDASRC   := $(wildcard kernels/*.cu)
BENCHES   := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

.PHONY: all deps programs tests demo demo-bank demo-medical bank-full medical-full check check-long check-cuda check-emu model fuzz-diff bench install uninstall clean lint asan fuzzers fuzz FORCE
.DELETE_ON_ERROR:
# Objects stay.  (A bare .SECONDARY would keep them too, but then a new source that is older than its archive is never compiled.)
.PRECIOUS: $(BUILD)/obj/%.o

all: $(BUILD)/deps.stamp
	@$(MAKE) --no-print-directory programs $(CUDASO)
	@echo "sft: built for the CPU$(if $(CUDASO), and CUDA)"

# MPI, where the machine has it.
MPIPKG    := $(shell pkg-config --exists ompi-c 2>/dev/null && echo ompi-c)
MPISO     := $(if $(MPIPKG),$(BUILD)/bin/sft-mpi.so)
CUDASO    := $(if $(filter 1,$(CUDA)),$(BUILD)/bin/sft-cuda.so)
# Beside the programs, but for tests only: the same CUDA files over kernels/emu, whose fibers are x86-64's.
EMUSO     := $(if $(filter x86_64,$(shell uname -m)),$(BUILD)/bin/sft-emu.so)
EMUTESTS  := $(if $(EMUSO),$(addprefix $(BUILD)/tests/,emufaults emuraces))
MODULES   := $(MPISO) $(CUDASO)

programs: $(PROGS) $(MPISO)
tests: $(UNITS) $(OPSTESTS) $(MPISO) $(EMUSO) $(EMUTESTS)
fuzzers: $(FUZZERS)

# --- what the build needs ---
deps: $(BUILD)/deps.stamp
$(BUILD)/deps.stamp: .ci/deps
	@mkdir -p $(BUILD)
	@DEPS=$(DEPS) .ci/deps build
	@touch $@

# --- objects, archives, programs ---
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(ISA) $(PKGCFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(call say,CXX $<)
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(PKGCFLAGS) -MMD -MP -c $< -o $@

# The files of eval/pages as C strings, which eval/htmlpage.c includes.
PAGES := $(patsubst eval/pages/%,$(BUILD)/gen/%.inc,$(wildcard eval/pages/*))
$(BUILD)/gen/%.inc: eval/pages/%
	@mkdir -p $(@D)
	@sed 's/[\\"?]/\\&/g; s/.*/"&\\n"/' $< >$@
$(BUILD)/obj/eval/htmlpage.o: $(PAGES)

# An archive is made anew when the list of its members changes: what is no longer a source is no longer in it.
define ARCHIVE
$(BUILD)/obj/lib$(notdir $(1)).members: FORCE
	@mkdir -p $$(@D)
	@echo $(filter $(1)/%,$(LIBSRC)) | cmp -s - $$@ || echo $(filter $(1)/%,$(LIBSRC)) >$$@
$(BUILD)/obj/lib$(notdir $(1)).a: $(call obj,$(filter $(1)/%,$(LIBSRC))) $(BUILD)/obj/lib$(notdir $(1)).members
	@rm -f $$@
	$$(Q)ar rcs $$@ $$(filter %.o,$$^)
endef
$(foreach d,$(DIRS),$(eval $(call ARCHIVE,$(d))))

define PROGRAM
$(BUILD)/bin/$(notdir $(basename $(1))): $(call obj,$(1)) $(ARCHIVES)
	@mkdir -p $$(@D)
	$$(call say,LD $$(notdir $$@))
	$$(Q)$(CC) $(LDFLAGS) -o $$@ $$< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $$(LDLIBS)
endef
$(foreach m,$(MAINS),$(eval $(call PROGRAM,$(m))))

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LDLIBS) -lcsv
$(BUILD)/tests/%: $(BUILD)/obj/tests/ops/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LDLIBS)
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/driver.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(BUILD)/obj/tests/fuzz/driver.o -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LDLIBS)
$(BUILD)/bench/gpubench: $(BUILD)/obj/tests/gpu/gpubench.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LDLIBS)
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LDLIBS)

$(BUILD)/bin/sft-mpi.so: train/mpidoor.c train/rankdoor.h
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $$(pkg-config --cflags $(MPIPKG)) -fPIC -shared $(LDFLAGS) -o $@ $< $$(pkg-config --libs $(MPIPKG))

# CUDA: each file for all architectures.  PTX of the newest keeps it going on GPUs to come.
NVFLAGS   := -std=c++17 -O3 -lineinfo -Xcompiler -fPIC,-Wall,-Wno-unused-function -Xptxas -v,-warn-spills $(addprefix -I,kernels lib/base) \
             $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
             -gencode arch=compute_$(lastword $(CUDA_ARCHS)),code=compute_$(lastword $(CUDA_ARCHS))
$(BUILD)/obj/cuda/%.o: kernels/%.cu
	@mkdir -p $(@D)
	$(call say,NVCC $<)
	$(Q)$(NVCC) $(NVFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@ >$(@:.o=.log) 2>&1 || { cat $(@:.o=.log); exit 1; }
$(BUILD)/bin/sft-cuda.so: $(patsubst kernels/%.cu,$(BUILD)/obj/cuda/%.o,$(CUDASRC))
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(NVCC) -shared -o $@ $^ -lcublas -Xlinker -rpath=$(dir $(NVCC))../lib64

EMUSRC    := $(CUDASRC) $(filter-out kernels/emu/races.cc,$(wildcard kernels/emu/*.cc))
EMUFLAGS   = -std=c++17 -O2 -g $(WARN) -Wno-unused-function -Wno-unknown-pragmas -ffp-contract=off -fPIC $(addprefix -I,kernels kernels/emu lib/base) $(SANITIZE)
$(BUILD)/obj/emu/%.o: %.cu
	@mkdir -p $(@D)
	$(call say,EMU $<)
	$(Q)$(CXX) $(EMUFLAGS) -MMD -MP -x c++ -c $< -o $@
$(BUILD)/obj/emu/%.o: %.cc
	@mkdir -p $(@D)
	$(call say,EMU $<)
	$(Q)$(CXX) $(EMUFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/bin/sft-emu.so: $(addprefix $(BUILD)/obj/emu/,$(addsuffix .o,$(basename $(EMUSRC))))
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CXX) -shared $(SANITIZE) -o $@ $^
# The same with a race detector (device "emurace"): the kernels alone are instrumented, and races.cc stands for the sanitizer's library.
$(BUILD)/obj/emurace/%.o: %.cu
	@mkdir -p $(@D)
	$(call say,EMU $<)
	$(Q)$(CXX) $(EMUFLAGS) -fsanitize=thread -Wno-tsan -MMD -MP -x c++ -c $< -o $@
$(BUILD)/bin/sft-emurace.so: $(patsubst %.cu,$(BUILD)/obj/emurace/%.o,$(CUDASRC)) $(patsubst %.cc,$(BUILD)/obj/emu/%.o,$(wildcard kernels/emu/*.cc))
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CXX) -shared -o $@ $^
# And all of it under AddressSanitizer (device "emuasan", with libasan loaded before).
$(BUILD)/obj/emuasan/%.o: %.cu
	@mkdir -p $(@D)
	$(call say,EMU $<)
	$(Q)$(CXX) $(EMUFLAGS) -fsanitize=address -MMD -MP -x c++ -c $< -o $@
$(BUILD)/obj/emuasan/%.o: %.cc
	@mkdir -p $(@D)
	$(call say,EMU $<)
	$(Q)$(CXX) $(EMUFLAGS) -fsanitize=address -MMD -MP -c $< -o $@
$(BUILD)/bin/sft-emuasan.so: $(addprefix $(BUILD)/obj/emuasan/,$(addsuffix .o,$(basename $(EMUSRC))))
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CXX) -shared -fsanitize=address -o $@ $^

EMUOBJ    := $(patsubst %.cc,$(BUILD)/obj/emu/%.o,$(wildcard kernels/emu/*.cc))
$(BUILD)/tests/emufaults: $(BUILD)/obj/emu/tests/emu/emufaults.o $(filter-out %/races.o,$(EMUOBJ))
$(BUILD)/tests/emuraces: $(BUILD)/obj/emurace/tests/emu/emufaults.o $(EMUOBJ)
$(BUILD)/tests/emufaults $(BUILD)/tests/emuraces:
	@mkdir -p $(@D)
	$(call say,LD $(notdir $@))
	$(Q)$(CXX) $(LDFLAGS) -o $@ $^ -ldl

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# Entries are called by name from the driver or an engine.
$(BUILD)/obj/tests/fuzz/%.o: STRICT :=

# --- to run ---
demo: all
	@DEPS=$(DEPS) .ci/deps run
	@samples/banking77/demo $(BUILD)
# The two cases (docs/cases.md): each in less than half an hour on two cores; the -full ones with three seeds, in hours.
CASES := demo-bank demo-medical bank-full medical-full
$(CASES): all
	@DEPS=$(DEPS) .ci/deps run
	@samples/$(subst demo-,,$(subst -full,,$@))/$(if $(findstring full,$@),full,demo) $(BUILD)
# The tests that need the real model skip where it cannot be had.
# Nor do they need what only a GPU runs: CUDA's kernels are tested over the emulator, and compiled by `all` and check-cuda.
model: $(BUILD)/deps.stamp
	@$(MAKE) --no-print-directory programs
	@DEPS=$(DEPS) .ci/deps test
	@timeout 600 samples/get-model >/dev/null 2>&1 || echo "sft: SmolLM2 could not be fetched: its tests are skipped"
check: model
	@$(MAKE) --no-print-directory -s tests
	@BUILD=$(BUILD) tests/run
check-long: model
	@$(MAKE) --no-print-directory -s tests fuzzers
	@BUILD=$(BUILD) tests/run --long
# The emulated device under its race detector and AddressSanitizer, and all golden models on it: many minutes, so apart from the rest.
check-emu: model
	@$(MAKE) --no-print-directory -s tests
	@EMU=1 BUILD=$(BUILD) tests/run --long tests/emu
# What the compiled kernels are held to; needs nvcc, no GPU.
check-cuda: $(BUILD)/bin/sft-cuda.so
	@.ci/cudabars $(BUILD) $(NVCC) $(CUDASRC)
# Against the reference implementations, where PEERS_PYTHON (default python3) has them.
fuzz-diff: all
	@$(MAKE) --no-print-directory -s tests
	@BUILD=$(BUILD) tests/fuzzdiff/run
bench: all
	@$(MAKE) --no-print-directory -s $(BENCHES)
	@BUILD=$(BUILD) tests/bench/run
lint: all
	@DEPS=$(DEPS) .ci/deps test
	@.ci/lint
ASAN := BUILD=$(BUILD)/asan CUDA=0 OPT='-O1 -g -fno-omit-frame-pointer' SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
asan:
	@$(MAKE) --no-print-directory $(ASAN) all
# Each entry for so long under the sanitizers; FUZZ=ENTRY... for some of them.
FUZZ_SECONDS ?= 60
fuzz: $(BUILD)/deps.stamp
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(ASAN) fuzzers
	@BUILD=$(BUILD) tests/fuzz/run $(BUILD)/asan/fuzz $(FUZZ_SECONDS) $(FUZZ)

# --- to install ---
D := $(DESTDIR)$(PREFIX)
install: all
	install -d $(D)/bin $(D)/libexec/sft $(D)/share/man/man1 $(D)/share/man/man5 $(D)/share/man/man7
	install -m 755 $(BUILD)/bin/sft $(D)/bin/sft
	install -m 755 $(filter-out %/sft,$(PROGS)) $(MODULES) $(D)/libexec/sft/
	for p in man/*.[157]; do install -m 644 $$p $(D)/share/man/man$${p##*.}/ || exit 1; done
	install -d $(D)/share/sft/dicts
	install -m 644 dicts/*.tsv $(D)/share/sft/dicts/
uninstall:
	rm -f $(D)/bin/sft $(addprefix $(D)/libexec/sft/,$(notdir $(filter-out %/sft,$(PROGS)) sft-mpi.so sft-cuda.so))
	for p in man/*.[157]; do rm -f $(D)/share/man/man$${p##*.}/$${p##*/}; done
	rm -f $(addprefix $(D)/share/sft/,$(wildcard dicts/*.tsv))
	-rmdir $(D)/libexec/sft $(D)/share/sft/dicts $(D)/share/sft 2>/dev/null

clean:
	rm -rf $(BUILD)
