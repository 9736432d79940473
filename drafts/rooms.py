#!/usr/bin/env python3
"""Moves the library into its rooms: files, namespaces, names, spelling. Run once, from anywhere:

    python3 rooms.py <root of a checkout> [--no-format]

It works on the files that git tracks in <root>, moves with `git mv`, rewrites C++ by tokens (a lexer and a parser of
declarations at namespace level, not by lines), and prints a line `MISSING ...` for every anchor that it did not find; it
goes on with the others. The exit code is the number of such lines (at most 125). Nothing is committed. What it does, in
order: MOVES, SPLITS, PUBLISH, KERNELS, includes, RENAMES, ARGUMENTS (rng first), SPELLING, EDITS, generated files
(gan.hpp, version.hpp, include_directions.cmake), clang-format.

Left to hands afterwards, see MANUAL at the end of this docstring.

MANUAL
- Helpers that cross folders are made public where they stand and printed as `published: ...`, some "(has no comment)". Give
  those a comment, and the io ones better names while at it (`turned`, `small_ending`, `folder_of`, `system_message`).
  `bounds_slope`, `of_gradients`, `takes_logits`, `needs_bounded_slope` of loss/ might share a header (loss/traits).
- Element-wise operations as one expression with the name written once; names of objectives and penalties in their structs;
  LayerError with the path in one place; path, indices and target as data of the node: not mechanical, not done.
- Tests that share helpers are not split, printed as `not split: ...`; tests/train/callbacks_test.cpp holds CsvLog, ProgressBar
  and SampleGrid (they share Session); clip_weights' cases stay in tests/optim/clip_test.cpp, R1 and R2's in penalty_test.cpp,
  the critics' in objective_test.cpp.
- `picture` stays in prose and messages ("expected a PNG or JPEG picture"); identifiers say image.
- Kernels without a comment: limit_values, SumOf, MaxOf, mutable_rows_of.
- Layers whose options are no aggregate yet: LayerNorm (epsilon), Dropout (p).
- Headers above 300 lines: tensor/autograd, train/trainer, core/random, train/callbacks/collapse_watch (judging and advice), nn/module.
- `deviation` stays in sentences of comments and of program help. An error's text says "stddev" where it names the option.
- README: only paths, spelling, argument order and the table of folders are changed.
"""
import os, re, subprocess, sys
from collections import defaultdict

TOKEN = re.compile(r'''
 (?P<comment>//[^\n]*|/\*.*?\*/)
|(?P<raw>(?:u8|u|U|L)?R"(?P<delim>[^()\\\s]{0,16})\(.*?\)(?P=delim)")
|(?P<str>(?:u8|u|U|L)?"(?:\\.|[^"\\\n])*")
|(?P<num>\.?[0-9](?:[eEpP][+-]|'[0-9a-zA-Z]|[0-9a-zA-Z_.])*)
|(?P<char>'(?:\\.|[^'\\\n])+')
|(?P<id>[A-Za-z_]\w*)
|(?P<ws>\s+)
|(?P<punct>::|->\*?|<<=|<=>|\.\.\.|\+\+|--|[-+*/%&|^=!<>]=|&&|\|\||<<|.)
''', re.X | re.S)

class Tok:
    __slots__ = ('k', 't')
    def __init__(self, k, t): self.k, self.t = k, t
    def __repr__(self): return f'{self.k}:{self.t!r}'

def lex(text):
    out, i, bol = [], 0, True
    while i < len(text):
        if bol:
            m = re.compile(r'[ \t]*#(?:\\\n|/\*.*?\*/|[^\n])*', re.S).match(text, i)
            if m:
                out.append(Tok('pp', m.group(0))); i = m.end(); bol = False; continue
        m = TOKEN.match(text, i)
        k = m.lastgroup
        if k == 'delim': k = 'raw'
        t = m.group(0)
        if m.group('raw') is not None: k = 'raw'
        out.append(Tok(k, t)); i = m.end()
        bol = k == 'ws' and '\n' in t or (bol and k == 'ws') or (k == 'comment' and t.startswith('/*') and bol)
    return out
def unlex(toks): return ''.join(t.t for t in toks)

class Item:
    """A declaration at namespace level: ns tuple, name, kind, text with its comments."""
    def __init__(self, ns, name, kind, text, a, b):
        self.ns, self.name, self.kind, self.text, self.a, self.b = ns, name, kind, text, a, b
    def __repr__(self): return f'<{"::".join(self.ns)} {self.kind} {self.name}>'

OPEN, CLOSE = {'(': ')', '[': ']', '{': '}'}, {')', ']', '}'}
def match(toks, i):
    depth = 0
    while i < len(toks):
        t = toks[i]
        if t.k == 'punct':
            if t.t in OPEN: depth += 1
            elif t.t in CLOSE:
                depth -= 1
                if depth == 0: return i
        i += 1
    raise ValueError('unbalanced')
def solid(toks): return [t for t in toks if t.k not in ('ws', 'comment', 'pp')]

def angle(ts, i):
    """Index after the template argument list that opens at i."""
    depth = 0; par = 0
    while i < len(ts):
        t = ts[i].t
        if t in '([{' : par += 1
        elif t in ')]}': par -= 1
        elif par == 0 and t == '<': depth += 1
        elif par == 0 and t == '>':
            depth -= 1
            if depth == 0: return i + 1
        elif par == 0 and t == '>>': # not produced
            depth -= 2
        i += 1
    return i

def name_of(toks):
    ts = solid(toks)
    i = 0
    while i < len(ts) and ts[i].t == 'template':
        i = angle(ts, i + 1)
    if i < len(ts) and ts[i].t == 'requires' and i + 1 < len(ts) and ts[i+1].t == '(':
        depth = 0
        for j in range(i + 1, len(ts)):
            depth += (ts[j].t == '(') - (ts[j].t == ')')
            if depth == 0: i = j + 1; break
    rest = ts[i:]
    words = [t.t for t in rest]
    if not words: return 'other', ''
    for n, w in enumerate(words):
        if w in ('(', '{', '=') : break
        if w in ('struct', 'class', 'union', 'enum'):
            j = n + 1
            if words[j] in ('class', 'struct'): j += 1
            while words[j] == '[': j = j + words[j:].index(']') + 1
            # a function that returns a struct is not expected
            return ('enum' if w == 'enum' else 'type'), words[j]
        if w == 'using': return ('using', words[n + 1]) if len(words) > n + 2 and words[n + 2] == '=' else ('other', '')
        if w == 'concept': return 'concept', words[n + 1]
        if w in ('static_assert', 'friend', 'extern'): return 'other', ''
    # function or variable
    depth = par = 0
    for n, w in enumerate(words):
        if w == '<' and n > 0 and rest[n-1].k == 'id' and words[n-1] != 'operator': depth += 1
        elif w == '>' and depth > 0: depth -= 1
        elif w == '[': par += 1
        elif w == ']': par -= 1
        elif depth == 0 and par == 0:
            if 'operator' == w:
                sym = ''
                m = n + 1
                if words[m] == '(' : sym = '()'; m += 2
                else:
                    while words[m] != '(': sym += words[m]; m += 1
                return 'function', qualified(rest, n) + 'operator' + sym
            if w == '(' and n > 0 and rest[n-1].k == 'id' and words[n-1] not in ('requires', 'decltype', 'alignas', 'noexcept', 'sizeof'):
                return 'function', qualified(rest, n - 1) + words[n - 1]
            if w in ('=', '{', ';') and n > 0 and rest[n-1].k == 'id':
                return 'variable', words[n-1]
            if w == ']' : pass
            if w == '[' : pass
    # arrays: name [ ... ]
    for n, w in enumerate(words):
        if w == '[' and n > 0 and rest[n-1].k == 'id': return 'variable', words[n-1]
    return 'other', ''

def qualified(rest, n):
    """'Class::' when rest[n] is qualified, else ''."""
    if n < 2 or rest[n-1].t != '::':
        if n >= 2 and rest[n-1].t == '~' and rest[n-2].t == '::': n -= 1
        else: return ''
    j = n - 2
    if rest[j].t == '>':
        depth = 0
        while j >= 0:
            if rest[j].t == '>': depth += 1
            elif rest[j].t == '<':
                depth -= 1
                if depth == 0: break
            j -= 1
        j -= 1
    return rest[j].t + '::' if rest[j].k == 'id' else ''

def parse(text):
    """The items of a header, in order, each with the span [a, b) of the text that it and its comments take."""
    toks = lex(text)
    pos = [0]
    for t in toks: pos.append(pos[-1] + len(t.t))
    ns, items, i, n = [], [], 0, len(toks)
    start = 0  # first token of the trivia before the next declaration
    while i < n:
        t = toks[i]
        if t.k in ('ws', 'comment'): i += 1; continue
        if t.k == 'pp': i += 1; start = i; continue
        if t.t == 'namespace' or (t.t == 'inline' and solid(toks[i+1:i+4])[:1] and solid(toks[i+1:i+4])[0].t == 'namespace'):
            j = i
            while toks[j].t not in ('{', ';', '='): j += 1
            if toks[j].t == '{':
                name = ''.join(x.t for x in solid(toks[i:j]) if x.t not in ('namespace', 'inline'))
                ns.append(name.split('::') if name else ['<anonymous>'])
                i = j + 1; start = i; continue
        if t.t == '}':
            if ns: ns.pop()
            i += 1; start = i; continue
        if t.t == ';': i += 1; start = i; continue
        # a declaration
        j = i
        words = [x.t for x in solid(toks[i:i+200])]
        while True:
            x = toks[j]
            if x.k == 'punct' and x.t == ';': j += 1; break
            if x.k == 'punct' and x.t in OPEN:
                e = match(toks, j)
                if x.t == '{':
                    kind, _ = name_of(toks[i:j] + [Tok('punct', '{')])
                    nxt = e + 1
                    while nxt < n and toks[nxt].k in ('ws', 'comment'): nxt += 1
                    if kind == 'function' and not is_initializer(toks, i, j):
                        if nxt < n and toks[nxt].t in (',', '{'): j = e + 1; continue
                        j = e + 1; break
                j = e + 1; continue
            j += 1
            if j >= n: break
        # rest of the line: a trailing comment belongs to it
        k = j
        if k < n and toks[k].k == 'ws' and '\n' not in toks[k].t and k + 1 < n and toks[k+1].k == 'comment': j = k + 2
        # attached comments: the run of trivia after the last blank line
        a = i
        while a > start:
            p = toks[a-1]
            if p.k == 'ws' and p.t.count('\n') >= 2: break
            a -= 1
        while a < i and toks[a].k == 'ws': a += 1
        kind, name = name_of(toks[i:j])
        flat = tuple(y for x in ns for y in x)
        items.append(Item(flat, name, kind, text[pos[a]:pos[j]], pos[a], pos[j]))
        i = j; start = i
    return items

def is_initializer(toks, i, j):
    """Whether the brace at j opens an initializer (= {...} or name{...} of a variable), not a body."""
    p = j - 1
    while toks[p].k in ('ws', 'comment'): p -= 1
    return toks[p].t == '='

# ---------------------------------------------------------------------------------------------------------------------
# What goes where. Paths of headers are relative to include/gan; a '?' in front: only if it is there.

MOVES = '''
core/build.hpp                  core/build_warning.hpp
core/file.hpp                   io/atomic_file.hpp
?core/crc.hpp                   io/crc.hpp
?core/folder_lock.hpp           io/folder_lock.hpp
data/gzip.hpp                   io/gzip.hpp
data/idx.hpp                    io/idx.hpp
data/stb_image.hpp              io/stb_image.hpp
data/image_file.hpp             io/image_reader.hpp
?data/checked_picture.hpp       io/checked_image.hpp
?data/jpeg.hpp                  io/jpeg.hpp
?data/png.hpp                   io/png.hpp
?data/memory_budget.hpp         io/memory_budget.hpp
io/image.hpp                    io/image_writer.hpp
tensor/named.hpp                tensor/named_tensors.hpp
ops/gemm.hpp                    ops/kernels/gemm.hpp
ops/im2col.hpp                  ops/kernels/im2col.hpp
ops/conv_unfolded.hpp           ops/kernels/conv_unfolded.hpp
ops/conv_shifted.hpp            ops/kernels/conv_shifted.hpp
ops/conv_depthwise.hpp          ops/kernels/conv_depthwise.hpp
ops/conv_geometry.hpp           ops/window.hpp
ops/products.hpp                ops/vector_products.hpp
ops/shaping.hpp                 ops/slice.hpp
optim/schedule.hpp              core/schedule.hpp
loss/critic.hpp                 loss/wasserstein.hpp
train/choice.hpp                loss/any_objective.hpp
?train/metadata.hpp             core/metadata.hpp
train/run.hpp                   train/fit.hpp
train/average.hpp               train/moving_average.hpp
train/watch.hpp                 train/callbacks/collapse_watch.hpp
train/progress.hpp              train/callbacks/progress_bar.hpp
train/csv_log.hpp               train/callbacks/csv_log.hpp
train/sample_grid.hpp           train/callbacks/sample_grid.hpp
train/callbacks.hpp             train/callbacks/stop_when_not_finite.hpp
'''

# Tests and programs; paths from the root. A test stands in the folder of its header, under the header's name.
TEST_MOVES = '''
tests/core/build_test.cpp              tests/core/build_warning_test.cpp
tests/core/file_test.cpp               tests/io/atomic_file_test.cpp
?tests/core/crc_test.cpp               tests/io/crc_test.cpp
?tests/core/folder_lock_test.cpp       tests/io/folder_lock_test.cpp
tests/data/gzip_test.cpp               tests/io/gzip_test.cpp
tests/data/idx_test.cpp                tests/io/idx_test.cpp
?tests/data/jpeg_test.cpp              tests/io/jpeg_test.cpp
?tests/data/png_test.cpp               tests/io/png_test.cpp
?tests/data/checked_picture_test.cpp   tests/io/checked_image_test.cpp
?tests/data/memory_budget_test.cpp     tests/io/memory_budget_test.cpp
tests/data/image_file_test.cpp         tests/io/image_reader_test.cpp
tests/io/image_test.cpp                tests/io/image_writer_test.cpp
tests/ops/products_test.cpp            tests/ops/vector_products_test.cpp
tests/ops/shaping_test.cpp             tests/ops/slice_test.cpp
tests/optim/schedule_test.cpp          tests/core/schedule_test.cpp
tests/loss/games_test.cpp              tests/loss/convergence_test.cpp
tests/train/choice_test.cpp            tests/loss/any_objective_test.cpp
?tests/train/metadata_test.cpp         tests/core/metadata_test.cpp
tests/train/dcgan_test.cpp             tests/models/dcgan_test.cpp
tests/train/average_test.cpp           tests/train/moving_average_test.cpp
tests/train/run_test.cpp               tests/train/fit_test.cpp
tests/train/watch_test.cpp             tests/train/collapse_watch_test.cpp
tests/train/output_test.cpp            tests/train/callbacks_test.cpp
tests/train/pair.hpp                   tests/support/networks.hpp
?tests/support/picture_bytes.hpp       tests/support/image_bytes.hpp
tests/benchmarks/peak.hpp              tests/benchmarks/peak_gflops.hpp
'''

# (from, to, names, first line of a new header, namespace: None as it was, 'kernels', or 'public'). Names are those of
# declarations at namespace level; members defined outside of their class go with it. A name that ends in '?' may be
# absent.
SPLITS = [
    ('ops/kernels/im2col.hpp', 'core/scratch.hpp', ['Scratch'], '// Scratch memory for loops.', 'public'),
    ('ops/kernels/im2col.hpp', 'ops/kernels/copy.hpp', ['copy_run'],
     '// Copies of short runs of elements, and rows of one content.', 'kernels'),
    ('ops/kernels/conv_unfolded.hpp', 'ops/kernels/copy.hpp', ['fill_rows'], None, 'kernels'),
    ('tensor/tensor.hpp', 'core/parallel.hpp', ['elementwise_for'], None, 'public'),
    ('ops/kernels/conv_unfolded.hpp', 'core/parallel.hpp', ['parallel_sum'], None, 'public'),
    ('ops/window.hpp', 'ops/kernels/conv_geometry.hpp', '*detail',
     '// Sizes of one convolution: which kernel taps meet which pixels.', 'kernels'),
    ('ops/sum.hpp', 'ops/kernels/broadcast.hpp', ['broadcast_map', 'BroadcastLoop', 'broadcast_row'],
     '// The loop of operations on two tensors that broadcast.', 'kernels'),
    ('ops/arithmetic.hpp', 'ops/kernels/broadcast.hpp', ['binary'], None, 'kernels'),
    ('ops/sum.hpp', 'ops/kernels/reduce.hpp', ['SumOf', 'reduce', 'reduce_axis'],
     '// The loop of reductions over axes, in an order that depends on the shape alone.', 'kernels'),
    ('ops/reduce.hpp', 'ops/kernels/reduce.hpp', ['MaxOf', 'MinOf?'], None, 'kernels'),
    ('ops/elementwise.hpp', 'ops/kernels/map.hpp', ['map?', 'map_within?', 'map_scalar'],
     '// The loop of operations on one tensor, element by element.', 'kernels'),
    ('optim/clip.hpp', 'ops/kernels/map.hpp', ['limit_values'], None, 'kernels'),
    ('optim/clip.hpp', 'loss/clip_weights.hpp', ['clip_weights', 'ClipWeights'],
     '// Limits on the weights of a critic.', None),
    ('ops/convolution.hpp', 'ops/kernels/convolve.hpp', ['conv_forward', 'conv_input_gradient', 'conv_weight_gradient'],
     '// The three products of a convolution: which code serves which sizes.', 'kernels'),
    ('ops/normalize.hpp', 'ops/reduce.hpp', '*all', None, None),
    ('ops/slice.hpp', 'ops/permute.hpp', ['permute', 'transpose'], '// Axes in another order.', None),
    ('ops/slice.hpp', 'ops/concatenate.hpp', ['concatenate', 'stack?', 'split?'], '// Tensors joined along an axis.', None),
    ('loss/wasserstein.hpp', 'loss/hinge.hpp', ['Hinge'], '// The hinge objective.', None),
    ('loss/penalty.hpp', 'loss/score_gradient.hpp',
     ['score_gradient', 'squared_norms', 'check_same_samples'],
     '// Gradients of scores with respect to samples, which penalties are made of.', None),
    ('loss/penalty.hpp', 'loss/r1_r2.hpp', ['R1', 'R2', 'zero_centered'],
     '// The zero-centered penalties R1, on real samples, and R2, on fakes.', None),
    ('loss/any_objective.hpp', 'loss/any_penalty.hpp', ['AnyPenalty', 'penalty_names', 'penalty_named'],
     '// Any penalty or sum of penalties, chosen at run time, by name.', None),
    ('data/loader.hpp', 'data/batch.hpp', ['Batch'], '// What a source hands out: samples and their labels.', None),
    ('data/digits_dataset.hpp', 'data/digits.hpp', '*all', None, None),
    ('train/fit.hpp', 'core/error.hpp', ['NotFinite?'], None, None),
    ('train/callbacks/stop_when_not_finite.hpp', 'train/callbacks/time_budget.hpp', ['TimeBudget'],
     '// Callback: ends a run after some time.', None),
    ('train/callbacks/stop_when_not_finite.hpp', 'train/callbacks/stop_on_interrupt.hpp', ['StopOnInterrupt'],
     '// Callback: ends a run in order on Ctrl-C.', None),
    ('train/callbacks/stop_when_not_finite.hpp', 'train/callbacks/every_steps.hpp', ['EverySteps', 'every_steps'],
     '// Callback: calls a function every few steps.', None),
    ('train/checkpoint.hpp', 'train/callbacks/checkpoint.hpp', ['Checkpoint'],
     '// Callback: saves a checkpoint every few steps and at the end.', None),
]

FIRST_LINES = {
    'ops/window.hpp': '// Windows on images: sizes of two axes, padding, stride, dilation and groups.',
    'ops/reduce.hpp': '// Mean, variance, maximum and normalization over axes. Sum is in ops/sum.hpp.',
    'ops/sum.hpp': '// Sum over axes and its adjoint, broadcasting.',
    'ops/slice.hpp': '// The adjoint pair slice and pad.',
    'loss/wasserstein.hpp': '// The objective of Wasserstein critics.',
    'loss/penalty.hpp': '// Penalties on the discriminator: what they have in common, and how they combine.',
    'loss/any_objective.hpp': '// Any objective, chosen at run time, by name: for programs with options on the command line.',
    'optim/clip.hpp': '// Limits on gradients, by norm and by value.',
    'train/callbacks/stop_when_not_finite.hpp': '// Callback: ends a run in order when a loss is not finite.',
    'ops/kernels/im2col.hpp': None,
    'train/checkpoint.hpp': None,
}

# Out of `detail` where they stand: other folders use them. A comment for those that have none. What else another
# folder uses of a `detail` is published too, and printed.
PUBLISH = {
    'tensor/random.hpp': {'mutable_span': '/// The elements for writing, as Rng\'s functions that fill take them.'},
    'ops/gather.hpp': {'check_indices': '/// Throws, in the name of `op`, unless all indices are in [0, rows).'},
}

# Token renames everywhere (identifiers; in comments and documents too where the whole word is one of these).
RENAMES = {
    'ConvolutionOptions': 'Conv2dParams',
    'dcgan_deviation': 'dcgan_stddev',
}

# Test cases whose titles begin like that get a file of their own, named after the header they test, unless they share
# more than aliases and short functions with those that stay.
TEST_SPLITS = [
    ('tests/ops/slice_test.cpp', 'tests/ops/reshape_test.cpp', r'reshape |flatten |shapes of another size'),
    ('tests/ops/slice_test.cpp', 'tests/ops/permute_test.cpp', r'permute |transpose |wrong permutations'),
    ('tests/ops/slice_test.cpp', 'tests/ops/concatenate_test.cpp', r'concatenate |tensors that do not fit'),
    ('tests/loss/regression_test.cpp', 'tests/loss/cross_entropy_test.cpp', r'Cross entropy'),
    ('tests/loss/any_objective_test.cpp', 'tests/loss/any_penalty_test.cpp', r'penalties by name|a schedule scales all penalties'),
    ('tests/nn/layer_test.cpp', 'tests/nn/dense_test.cpp', r'(gradients of )?dense\b'),
    ('tests/nn/layer_test.cpp', 'tests/nn/layer_norm_test.cpp', r'(gradients of )?layer norm'),
    ('tests/nn/layer_test.cpp', 'tests/nn/embedding_test.cpp', r'an embedding'),
    ('tests/nn/layer_test.cpp', 'tests/nn/activation_test.cpp', r'activations as layers'),
    ('tests/nn/layer_test.cpp', 'tests/nn/reshape_test.cpp', r'flatten and reshape'),
    ('tests/nn/layer_test.cpp', 'tests/nn/sequential_test.cpp', r'a sequence '),
    ('tests/nn/image_layers_test.cpp', 'tests/nn/pooling_test.cpp', r'pooling layers'),
    ('tests/nn/image_layers_test.cpp', 'tests/nn/upsample_test.cpp', r'upsampling layers'),
    ('tests/nn/image_layers_test.cpp', 'tests/nn/group_norm_test.cpp', r'(group|instance) norm'),
    ('tests/nn/image_layers_test.cpp', 'tests/nn/residual_test.cpp', r'residual '),
    ('tests/nn/image_layers_test.cpp', 'tests/nn/minibatch_std_dev_test.cpp', r'minibatch |no sample is alone'),
]

# ---------------------------------------------------------------------------------------------------------------------
# The engine.

missing = []
def miss(text):
    missing.append(text)
    print('MISSING', text)

class Tree:
    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.text, self.before, self.moved = {}, {}, {}
    def git(self, *args):
        return subprocess.run(('git', '-C', self.root) + args, check=True, capture_output=True, text=True).stdout
    def load(self):
        for path in self.git('ls-files').split('\n'):
            full = os.path.join(self.root, path)
            if not path or not os.path.isfile(full): continue
            if path.endswith(('.hpp', '.cpp', '.md', '.cmake', '.txt', '.sh', '.in', '.py', '.json')) or path == '.ci/run':
                self.text[path] = self.before[path] = open(full, encoding='utf-8').read()
    def move(self, old, new):
        full = os.path.join(self.root, new)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        self.git('mv', old, new)
        self.moved[old] = new
    def remove(self, path):
        self.git('rm', '-qf', path)
        self.text.pop(path, None)
    def write(self):
        changed = []
        for path, text in self.text.items():
            if self.before.get(path) == text: continue
            full = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            open(full, 'w', encoding='utf-8').write(text)
            changed.append(path)
        return changed
    def cxx(self, *folders):
        return [p for p in sorted(self.text) if p.endswith(('.hpp', '.cpp')) and (not folders or p.startswith(folders))]
    def headers(self):
        return [p for p in sorted(self.text) if p.startswith('include/gan/') and p.endswith('.hpp')]

def H(path): return 'include/gan/' + path

def rows(table):
    for line in table.strip().split('\n'):
        words = line.split()
        if len(words) == 2: yield words[0].startswith('?'), words[0].lstrip('?'), words[1]

def do_moves(tree):
    paths = {}  # old name as it is written in includes, comments and documents -> new
    tracked = set(tree.git('ls-files').split('\n'))
    for optional, old, new in [(o, H(a), H(b)) for o, a, b in rows(MOVES)] + list(rows(TEST_MOVES)):
        if old not in tracked:
            if new in tracked: print('already there:', new)
            elif not optional: miss(f'move: {old}')
            continue
        tree.move(old, new)
        if old.startswith('include/gan/'): paths[old[len('include/gan/'):]] = new[len('include/gan/'):]
        else: paths[old[len('tests/'):]] = new[len('tests/'):]
    tree.load()
    pattern = re.compile(r'(?<![\w/])((?:gan/|include/gan/|tests/)?)(' +
                         '|'.join(sorted(map(re.escape, paths), key=len, reverse=True)) + r')(?!\w)')
    for p in list(tree.text):
        tree.text[p] = pattern.sub(lambda m: m.group(1) + paths[m.group(2)], tree.text[p])
    # "train/pair.hpp" seen from tests/benchmarks as "peak.hpp"
    for p in tree.cxx('tests/benchmarks/'):
        tree.text[p] = tree.text[p].replace('#include "peak.hpp"', '#include "peak_gflops.hpp"')
    for p in tree.text:
        if p.startswith('tests/benchmarks/'):
            tree.text[p] = tree.text[p].replace('"benchmarks/peak.hpp"', '"benchmarks/peak_gflops.hpp"')

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<](gan/[^">]+)[">].*\n', re.M)
STD_INCLUDE = re.compile(r'^#include <([^>/]+)>\n', re.M)

def gan_includes(text): return [H(m[4:]) for m in INCLUDE.findall(text)]

def closure(tree, path, graph=None):
    seen, open_ = set(), [path]
    while open_:
        p = open_.pop()
        for q in (graph[p] if graph is not None and p in graph else gan_includes(tree.text.get(p, ''))):
            if q not in seen: seen.add(q); open_.append(q)
    return seen

def tidy(text):
    text = re.sub(r'\n{3,}', '\n\n', text)
    for _ in range(3):
        text = re.sub(r'\nnamespace (detail|kernels) \{\s*\}  // namespace \1\n', '\n', text)
        text = re.sub(r'\nnamespace gan::detail \{\s*\}  // namespace gan::detail\n', '\n', text)
        text = re.sub(r'\n\}  // namespace (gan(?:::\w+)?)\n\s*namespace \1 \{\n', '\n', text)
        text = re.sub(r'\n\}  // namespace (\w+)\n\s*namespace \1 \{\n', '\n', text)
        text = re.sub(r'\n{3,}', '\n\n', text)
    return text

def cut(text, items):
    for i in sorted(items, key=lambda i: -i.a):
        end = i.b + 1 if text[i.b:i.b+1] == '\n' and text[:i.a].endswith('\n') else i.b
        text = text[:i.a] + text[end:]
    return tidy(text)

def block(items, new_ns):
    """The items wrapped into their namespaces."""
    out, at = [], None
    for i in items:
        ns = new_ns(i)
        if ns != at:
            if at: out.append('}  // namespace ' + '::'.join(at) + '\n')
            out.append('namespace ' + '::'.join(ns) + ' {\n')
            at = ns
        out.append(i.text + '\n')
    if at: out.append('}  // namespace ' + '::'.join(at) + '\n')
    return '\n'.join(out)

class Splitter:
    def __init__(self, tree):
        self.tree = tree
        self.graph = {p: gan_includes(tree.text[p]) for p in tree.headers()}  # as it was
        self.pieces = defaultdict(set)   # source -> where its names went
        self.source = defaultdict(set)   # piece -> sources
        self.gone = {}                   # name -> (old qualification, new): 'kernels' or ''
        self.went = defaultdict(set)     # name -> pieces
        self.std = {}                    # header that was there -> its own includes of the standard library
    def run(self):
        for spec in SPLITS: self.split(*spec)
    def split(self, src, dst, names, first, ns):
        tree, src, dst = self.tree, H(src), H(dst)
        if src not in tree.text: return miss(f'split: {src} (for {names})')
        items = parse(tree.text[src])
        if names == '*detail':
            chosen = [i for i in items if 'detail' in i.ns]
        elif names == '*all': chosen = items
        else:
            wanted = {n.rstrip('?'): n.endswith('?') for n in names}
            chosen = [i for i in items if i.name.split('::')[0] in wanted and i.name]
            found = {i.name for i in chosen}
            for n, optional in wanted.items():
                if n not in found and not optional: miss(f'split: {n} in {src} (to {dst})')
        if not chosen: return
        def new_ns(i):
            if ns == 'kernels' and 'detail' in i.ns: return ('gan', 'kernels')
            if ns == 'public' and 'detail' in i.ns: return ('gan',)
            return i.ns
        for i in chosen:
            if '::' not in i.name:
                self.went[i.name].add(dst)
                if new_ns(i) != i.ns: self.gone[i.name] = 'kernels' if 'kernels' in new_ns(i) else ''
        body = block(chosen, new_ns)
        if dst in tree.text:
            if dst not in self.source: self.std[dst] = set(re.findall(r'^#include <([^>]+)>', tree.text[dst], re.M))
            tree.text[dst] = tidy(tree.text[dst].rstrip('\n') + '\n\n' + body)
            std = set(STD_INCLUDE.findall(tree.text[src])) - set(STD_INCLUDE.findall(tree.text[dst]))
            lines = ''.join(f'#include <{s}>\n' for s in sorted(std))
            if lines and '\n#include <' in tree.text[dst]: tree.text[dst] = tree.text[dst].replace('\n#include <', '\n' + lines + '#include <', 1)
            elif lines: tree.text[dst] = tree.text[dst].replace('#pragma once\n', '#pragma once\n\n' + lines, 1)
        else:
            includes = ''.join(m.group(0) for m in re.finditer(r'^#include [<"].*\n', tree.text[src], re.M))
            conditional = ''.join(m.group(0) + '\n' for m in re.finditer(r'^#if.*\n(?:#.*\n|\n)*?#endif.*\n', tree.text[src], re.M))
            plain = [l for l in includes.split('\n') if l and l not in conditional]
            tree.text[dst] = f'{first}\n#pragma once\n\n' + '\n'.join(plain) + '\n\n' + conditional + '\n' + tidy(body)
            self.graph.setdefault(dst, [])
        tree.text[src] = cut(tree.text[src], chosen)
        self.pieces[src].add(dst)
        self.source[dst].add(src)
        if not [i for i in parse(tree.text[src])]: self.drop(src)
    def drop(self, src):
        print('emptied:', src)
        self.tree.remove(src)

def publish_one(tree, path, name, doc, gone):
    items = [i for i in parse(tree.text[path]) if i.name == name and 'detail' in i.ns]
    text = tree.text[path]
    for i in sorted(items, key=lambda i: -i.a):
        body = i.text if i.text.startswith('//') or not doc else doc + '\n' + i.text
        if i.ns == ('gan', 'detail') and re.search(r'^namespace gan::detail \{', text[:i.a], re.M):
            text = text[:i.a] + '}  // namespace gan::detail\n\nnamespace gan {\n\n' + body + '\n\n}  // namespace gan\n\nnamespace gan::detail {\n' + text[i.b:]
        else:
            text = text[:i.a] + '}  // namespace detail\n\n' + body + '\n\nnamespace detail {\n' + text[i.b:]
    tree.text[path] = tidy(text)
    gone[name] = ''
    return items

def publish(tree, gone):
    for path, names in PUBLISH.items():
        path = H(path)
        if path not in tree.text: miss(f'publish: {path}'); continue
        for name, doc in names.items():
            if not publish_one(tree, path, name, doc, gone): miss(f'publish: {name} in {path}')
    # what else crosses folders
    home, public = defaultdict(set), defaultdict(set)
    for p in tree.headers():
        if p.startswith(H('ops/kernels/')): continue
        for i in parse(tree.text[p]):
            if i.name and '::' not in i.name: (home if 'detail' in i.ns else public)[i.name].add(p)
    folder = lambda p: p.split('/')[2]
    wanted = defaultdict(set)
    for p in tree.headers():
        text = tree.text[p]
        spans = [(i.a, i.b) for i in parse(text) if 'detail' in i.ns]
        toks, pos = lex(text), 0
        real = []
        for t in toks:
            if t.k not in ('ws', 'comment', 'pp'): real.append((t, pos))
            pos += len(t.t)
        for k, (t, at) in enumerate(real):
            if t.k != 'id' or t.t not in home or t.t in gone: continue
            if any(folder(h) == folder(p) for h in home[t.t]): continue
            prev = real[k-1][0].t if k else ''
            qualified_ = prev == '::' and k > 1 and real[k-2][0].t == 'detail'
            inside = any(a <= at < b for a, b in spans) and prev not in ('.', '->', '::') and real[k+1][0].t in ('(', '<', '{') and \
                     any(h in closure(tree, p) for h in home[t.t]) and not (real[k-1][0].k == 'id' and real[k-1][0].t not in ('return', 'else'))
            if qualified_ or inside: wanted[t.t].add(p)
    done = {}
    while wanted:
        name = min(wanted); users = wanted.pop(name)
        if name in done: continue
        homes = home[name]
        if len(homes) != 1: miss(f'publish: {name} is in {sorted(homes)}, used by {sorted(users)}'); continue
        if name in public: miss(f'publish: {name} of {sorted(homes)} is public in {sorted(public[name])} too, used by {sorted(users)}'); continue
        path = next(iter(homes))
        items = publish_one(tree, path, name, '', gone)
        done[name] = path
        print(f'published: {name} of {path[12:]} for {", ".join(sorted(u[12:] for u in users))}' +
              ('' if any(i.text.startswith('//') for i in items) else ' (has no comment)'))
        for i in items:  # types that a published declaration names are published with it
            part = solid(lex(i.text))
            if i.kind == 'function' and '{' in [t.t for t in part]: part = part[:[t.t for t in part].index('{')]
            for t in part:
                if t.k == 'id' and t.t in home and t.t[0].isupper() and t.t not in done and any(folder(h) == folder(path) for h in home[t.t]):
                    wanted[t.t].add(path)
    # what a published declaration uses of its folder's detail is qualified
    for path in set(done.values()):
        text = tree.text[path]
        for i in sorted(parse(text), key=lambda i: -i.a):
            if i.name not in done or done[i.name] != path or 'detail' in i.ns: continue
            toks = lex(i.text)
            real = [n for n, t in enumerate(toks) if t.k not in ('ws', 'comment', 'pp')]
            for k, n in enumerate(real):
                t = toks[n]
                if t.k != 'id' or (t.t not in home and t.t not in ('stb_read', 'stb_write')) or t.t in done or t.t in gone: continue
                if t.t in home and not any(folder(h) == folder(path) for h in home[t.t]): continue
                prev = toks[real[k-1]] if k else Tok('punct', '')
                if prev.t in ('.', '->', '::') or (prev.k == 'id' and prev.t not in ('return', 'else', 'const', 'case')): continue
                t.t = 'detail::' + t.t
            text = text[:i.a] + unlex(toks) + text[i.b:]
        tree.text[path] = text

def declared(text):
    """Names declared at namespace level, with whether they are public."""
    return {i.name: not {'detail', 'kernels'} & set(i.ns) for i in parse(text) if i.name and '::' not in i.name}

def used_names(text):
    ts = solid(lex(text))
    names = set()
    for n, t in enumerate(ts):
        if t.k != 'id': continue
        p = ts[n-1].t if n else ''
        if p in ('.', '->'): continue
        if p == '::' and n > 1 and ts[n-2].t in ('std', 'Eigen', 'filesystem'): continue
        names.add(t.t)
    return names

STD = {
    'algorithm': r'std::(min|max|clamp|sort|copy|copy_n|fill|fill_n|transform|find|find_if|all_of|any_of|none_of|nth_element|reverse|equal|swap_ranges|max_element|min_element|shuffle|stable_sort|partial_sort|generate|remove|remove_if|lower_bound|upper_bound|count|count_if|for_each|unique|rotate|iota|minmax)\b',
    'array': r'std::array\b', 'atomic': r'std::atomic|memory_order', 'bit': r'std::(bit_|popcount|countl|countr|has_single)',
    'cerrno': r'\berrno\b', 'cctype': r'std::(tolower|toupper|isspace|isdigit|isalpha)', 'charconv': r'std::(from_chars|to_chars|errc)',
    'chrono': r'std::chrono|Clock', 'cmath': r'std::(sqrt|isnan|isfinite|isinf|exp|log|pow|abs|sin|cos|tanh|floor|ceil|round|lround|expm1|log1p|erf|acos|fabs|hypot|fmod|nextafter)\b',
    'concepts': r'std::(floating_point|same_as|convertible_to|invocable|integral|derived_from|constructible_from|regular)', 'csignal': r'SIG|std::signal|sig_atomic_t',
    'cstdint': r'int(8|16|32|64)_t', 'cstdio': r'std::(FILE|fopen|fputs|fputc|fprintf|snprintf|fflush|fclose|rename|remove|setvbuf)|\bstd(err|out)\b', 'cstdlib': r'std::(malloc|free|getenv|abort|exit|atoll|atoi|strto)',
    'cstring': r'std::(mem(cpy|cmp|set|move)|strerror|strlen|strcmp)', 'exception': r'std::(exception|current_exception|rethrow|uncaught)', 'filesystem': r'std::filesystem',
    'fstream': r'std::(if|of|f)stream', 'functional': r'std::(function|ref|cref|hash|less|greater|invoke|bind)\b', 'initializer_list': r'initializer_list', 'iterator': r'std::(ssize|size|begin|end|back_inserter|istreambuf_iterator|distance)\b',
    'limits': r'numeric_limits', 'map': r'std::map\b', 'memory': r'std::(unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared)', 'mutex': r'std::(mutex|lock_guard|scoped_lock|unique_lock|once_flag|call_once)',
    'new': r'std::(align_val_t|nothrow|bad_alloc)', 'numbers': r'std::numbers', 'numeric': r'std::(accumulate|iota|inner_product|reduce|gcd|partial_sum|lcm)', 'optional': r'std::(optional|nullopt)', 'ostream': r'std::ostream',
    'set': r'std::set\b', 'span': r'std::span', 'sstream': r'stringstream', 'stdexcept': r'std::(runtime_error|logic_error|invalid_argument|out_of_range)', 'string': r'std::(string\b|to_string|getline)', 'string_view': r'string_view',
    'system_error': r'std::(error_code|system_category|generic_category|system_error)', 'thread': r'std::(thread|this_thread|jthread)', 'tuple': r'std::(tuple|apply|tie|make_tuple)\b', 'type_traits': r'std::(is_|remove_|decay|conditional|integral_constant|invoke_result|enable_if|void_t|type_identity|common_type)',
    'unordered_map': r'unordered_map', 'utility': r'std::(move|forward|pair|exchange|swap|make_pair|declval|as_const|index_sequence|make_index_sequence|integer_sequence)\b', 'vector': r'std::vector', 'Eigen/Core': r'Eigen::|colwise|rowwise',
}

def fix_includes(tree, splitter):
    names = defaultdict(set)  # name -> headers that declare it
    declares = {}
    for p in tree.headers():
        declares[p] = declared(tree.text[p])
        for n in declares[p]: names[n].add(p)
    affected = set(splitter.pieces) | set(splitter.source)
    pieces_of_all = set().union(*splitter.pieces.values()) if splitter.pieces else set()
    def level(p):
        folder = p.split('/')[2] if p.startswith('include/gan/') else ''
        return 2 * ORDER.index(folder) + (0 if 'kernels' in p else 1) if folder in ORDER else 99

    def rank(p): return level(p), len(closure(tree, p))

    def candidates(p):
        """What the text of p could see before the splits, and the pieces of that."""
        roots = {p} | splitter.source.get(p, set())
        for q in list(roots): roots |= splitter.source.get(q, set())
        seen = set(gan_includes(tree.text[p]))
        for q in roots: seen |= {q} | set(splitter.graph.get(q, []))
        open_ = list(seen)
        while open_:
            q = open_.pop()
            for r in list(splitter.graph.get(q, [])) + list(splitter.pieces.get(q, [])):
                if r not in seen: seen.add(r); open_.append(r)
        return seen | pieces_of_all & seen

    def needs(p, within):
        need = set()
        own = declares.get(p, {})
        used = used_names(tree.text[p])
        for n in used:
            if n in own: continue
            homes = {h for h in names.get(n, ()) if h in within and h != p and (level(h) <= level(p) or h == H('ops/window.hpp') and 'kernels' in p)}
            # a public name elsewhere, or a detail of the same folder, or a kernel
            homes = {h for h in homes if declares[h][n] or 'kernels' in h or not p.startswith('include/gan/') or h.split('/')[2] == p.split('/')[2]}
            if len(homes) == 1: need |= homes
        return need

    def set_includes(p, remove, add):
        text = tree.text[p]
        for r in remove: text = re.sub(r'^#include ["<]' + re.escape(r[8:]) + r'[">].*\n', '', text, flags=re.M)
        lines = ''.join(f'#include "{a[8:]}"\n' for a in sorted(add))
        if not lines: tree.text[p] = text; return
        m = list(INCLUDE.finditer(text))
        if m: text = text[:m[-1].start()] + lines + text[m[-1].start():]
        else:  # behind the last directive before the code
            end = pos = 0
            for t in lex(text):
                pos += len(t.t)
                if t.k == 'pp': end = pos
                elif t.k not in ('ws', 'comment'): break
            text = text[:end] + '\n\n' + lines + text[end:]
        tree.text[p] = text

    def reach(p): return closure(tree, p)

    # 1. products of splits: include what they use, as little as reaches it
    for p in sorted(affected & set(tree.text), key=rank):
        need = needs(p, candidates(p))
        had = gan_includes(tree.text[p])
        if p.startswith(H('train/callbacks/')): need |= {H('train/fit.hpp')} & (set(had) | {p for q in splitter.source.get(p, ()) for p in splitter.graph[q]})
        code = ''.join(t.t for t in lex(tree.text[p]) if t.k not in ('comment', 'pp', 'str'))
        if level(p) > level(H('ops/sum.hpp')) and 'Tensor<' in code and re.search(r'[\w)\]] [-+*/] [\w(]', code) and H('ops/arithmetic.hpp') in candidates(p):
            need |= {H('ops/arithmetic.hpp')}
        keep = [h for h in had if h in need]
        set_includes(p, [h for h in had if h not in need], [])
        for h in sorted(need - set(keep), key=rank, reverse=True):
            if h not in reach(p): set_includes(p, [], [h])
        # and drop what the others bring, unless it was written before
        body = re.sub(r'^#include.*\n', '', tree.text[p], flags=re.M)
        for s in STD_INCLUDE.findall(tree.text[p]) + re.findall(r'^#include <(Eigen/Core)>\n', tree.text[p], re.M):
            if s in STD and s not in splitter.std.get(p, ()) and not re.search(STD[s], body): tree.text[p] = tree.text[p].replace(f'#include <{s}>\n', '')
        tree.text[p] = re.sub(r'\n{3,}', '\n\n', tree.text[p])

    # what reached a header through another one that has been thinned out since
    for p in sorted(affected & set(tree.text), key=rank):
        for h in sorted(needs(p, candidates(p)), key=rank, reverse=True):
            if h not in reach(p): set_includes(p, [], [h])

    # 2. everybody else: headers that are gone or no longer used, names that have moved
    for p in tree.cxx():
        if p in affected or p == H('gan.hpp'): continue
        had = gan_includes(tree.text[p])
        if H('gan.hpp') in had: continue
        for h in had:
            if h not in splitter.pieces: continue
            used = used_names(tree.text[p])
            outgrown = h in tree.text and not set(declares[h]) & used and any(set(declares[q]) & used for q in splitter.pieces[h] if q in declares and h in splitter.source[q])
            if h in tree.text and not outgrown and not (h.startswith('include/') and p.startswith('include/') and level(h) // 2 >= level(p) // 2 and
                                       h.split('/')[2] != p.split('/')[2]): continue
            set_includes(p, [h], [])
        within = set()
        for h in had: within |= {h} | closure(tree, h, splitter.graph)
        more = set()
        for h in within: more |= splitter.pieces.get(h, set())
        for h in list(more): more |= splitter.pieces.get(h, set())
        within |= more
        for h in sorted(needs(p, within), key=rank, reverse=True):
            if h not in reach(p) and h in tree.text: set_includes(p, [], [h])

ORDER = ['core', 'tensor', 'io', 'ops', 'nn', 'loss', 'optim', 'data', 'metrics', 'models', 'train', 'export', 'distributed']

def requalify(tree, gone):
    """detail::X -> kernels::X or X, and X -> kernels::X inside of other folders' detail."""
    kernel_files = [p for p in tree.headers() if p.startswith(H('ops/kernels/'))]
    for p in kernel_files:
        t = tree.text[p]
        for i in parse(t):
            if 'detail' in i.ns and '::' not in i.name and i.name: gone.setdefault(i.name, 'kernels')
        t = re.sub(r'^namespace gan::detail \{', 'namespace gan::kernels {', t, flags=re.M)
        t = re.sub(r'^\}  // namespace gan::detail$', '}  // namespace gan::kernels', t, flags=re.M)
        if re.search(r'^namespace detail \{', t, re.M):
            if re.match(r'(?s)(.*?)\nnamespace gan \{\s*namespace detail \{', t) and t.count('namespace detail {') == 1 and \
               re.search(r'\}  // namespace detail\s*\}  // namespace gan\s*$', t):
                t = re.sub(r'\nnamespace gan \{\s*namespace detail \{', '\nnamespace gan::kernels {', t)
                t = re.sub(r'\}  // namespace detail\s*\}  // namespace gan\s*$', '}  // namespace gan::kernels\n', t)
            else:
                t = t.replace('namespace detail {', 'namespace kernels {').replace('// namespace detail', '// namespace kernels')
        tree.text[p] = t
    for p in tree.cxx():
        toks = lex(tree.text[p])
        real = [n for n, t in enumerate(toks) if t.k not in ('ws', 'comment', 'pp')]
        in_kernels = p in kernel_files
        spans = []  # positions of tokens inside namespace detail
        if p.startswith('include/'):
            pos = 0
            ranges = [(i.a, i.b) for i in parse(tree.text[p]) if 'detail' in i.ns or i.name.startswith('detail::')]
            inside = set()
            for n, t in enumerate(toks):
                if any(a <= pos < b for a, b in ranges): inside.add(n)
                pos += len(t.t)
        else: inside = set()
        if p.startswith((H('core/'), H('tensor/'), H('io/'))): inside = set()
        own = {i.name for i in parse(tree.text[p])} if p.startswith('include/') else set()
        drop = set()
        # names that are members here too, which would hide what is no longer qualified
        members, pos, starts = set(), 0, []
        for t in toks: starts.append(pos); pos += len(t.t)
        classes = [(i.a, i.b) for i in parse(tree.text[p]) if i.kind == 'type']
        for k, n in enumerate(real[1:-1], 1):
            before = toks[real[k-1]]
            if toks[n].k != 'id' or gone.get(toks[n].t) != '' or before.t == '::' or toks[n].t[0].isupper(): continue
            inside_class = any(a <= starts[n] < b for a, b in classes)
            if inside_class and (before.k == 'id' and before.t not in ('return', 'else') or toks[real[k+1]].t not in ('(', '<', '&')):
                members.add(toks[n].t)
        for k, n in enumerate(real):
            t = toks[n]
            if t.k != 'id' or t.t not in gone: continue
            prev = toks[real[k-1]].t if k else ''
            if prev == '::' and k > 1 and toks[real[k-2]].t == 'detail':
                new = gone[t.t]
                if new and not in_kernels: toks[real[k-2]].t = new
                elif t.t in members and not (k > 3 and toks[real[k-3]].t == '::'): toks[real[k-2]].t = 'gan'
                else: drop |= {real[k-2], real[k-1]}
            elif prev not in ('.', '->', '::') and n in inside and gone[t.t] == 'kernels' and not in_kernels and t.t not in own:
                nxt = toks[real[k+1]].t if k + 1 < len(real) else ''
                if nxt in ('(', '<', '{') or t.t[0].isupper() or '_' in t.t: t.t = 'kernels::' + t.t
        tree.text[p] = ''.join(t.t for n, t in enumerate(toks) if n not in drop)

    # using namespace gan::detail;
    kernels = {n for n, new in gone.items() if new == 'kernels'}
    others = {i.name for p in tree.headers() for i in parse(tree.text[p]) if 'detail' in i.ns}
    for p in tree.cxx():
        m = re.search(r'^using namespace ((?:gan::)?)detail;\n', tree.text[p], re.M)
        if not m: continue
        used = used_names(tree.text[p])
        lines = (m.group(0) if used & others else '') + (f'using namespace {m.group(1)}kernels;\n' if used & kernels else '')
        tree.text[p] = tree.text[p].replace(m.group(0), lines, 1)

def rename(tree, table, where=lambda p: True, kinds=('id', 'comment', 'pp')):
    found = set()
    pattern = re.compile(r'(?<![\w])(' + '|'.join(sorted(map(re.escape, table), key=len, reverse=True)) + r')(?![\w])')
    def sub(m): found.add(m.group(1)); return table[m.group(1)]
    for p in list(tree.text):
        if not where(p): continue
        if p.endswith(('.hpp', '.cpp')):
            toks = lex(tree.text[p])
            for t in toks:
                if t.k in kinds: t.t = pattern.sub(sub, t.t)
            tree.text[p] = unlex(toks)
        elif p.endswith('.md'): tree.text[p] = pattern.sub(sub, tree.text[p])
    return found

def edit(tree, path, pattern, to, count=1, flags=re.M, optional=False):
    if path not in tree.text: return miss(f'edit: {path} for /{pattern}/') if not optional else None
    text, n = re.subn(pattern, to, tree.text[path], count=count, flags=flags)
    if n == 0 and not optional: miss(f'edit: /{pattern}/ in {path}')
    tree.text[path] = text

# ---------------------------------------------------------------------------------------------------------------------
# rng first.

# Called with something else in front, or not ours.
KEEP_ORDER = {'check', 'fail', 'REQUIRE', 'CHECK', 'CAPTURE', 'INFO', 'REQUIRE_THROWS_WITH', 'REQUIRE_THROWS_AS', 'CHECK_THROWS_WITH',
              'CHECK_THROWS_AS', 'REQUIRE_NOTHROW', 'CHECK_NOTHROW', 'shuffle', 'if', 'for', 'while', 'switch', 'decltype', 'swap',
              'exchange', 'tie', 'forward_as_tuple', 'make_pair', 'assert', 'static_assert', 'sizeof', 'return'}

def arguments(toks, i, e):
    """Spans [a, b) of the arguments between the parentheses at i and e, or none when that cannot be told."""
    out, a, depth, angle_ = [], i + 1, 0, 0
    for n in range(i + 1, e):
        t = toks[n]
        if t.k != 'punct': continue
        if t.t in OPEN: depth += 1
        elif t.t in CLOSE: depth -= 1
        elif depth == 0 and t.t == '<' and toks[n-1].k == 'id' and not (toks[n+1].k == 'ws'): angle_ += 1
        elif depth == 0 and t.t == '>' and angle_ > 0: angle_ -= 1
        elif depth == 0 and angle_ == 0 and t.t == ',':
            out.append((a, n)); a = n + 1
    out.append((a, e))
    return out

RNG_PARAMETER = re.compile(r'^(?:\[\[maybe_unused\]\] )?(?:const )?(?:gan::)?Rng ?&?(?: ?\w+)?$')
RNG_VALUE = re.compile(r'^(?:gan::)?Rng ?[({].*[)}]$|^(?:\w+(?:\.|->))+rng_?(?:\(\))?$|^rng\(\)$', re.S)
RNG_DECLARED = re.compile(r'\bRng\s*&?\s+(\w+)\s*[({;=,)]((?:[^;]*?[)}],\s*\w+[({])*)')

def is_rng(text, names):
    text = re.sub(r'\s+', ' ', text.strip())
    return bool(RNG_PARAMETER.match(text) or RNG_VALUE.match(text) or text in names)

def rng_names(text):
    names = {'rng', 'rng_'}
    for m in re.finditer(r'\bRng\b\s*&?\s*(\w+)\s*(?=[({;=,)])', text): names.add(m.group(1))
    for m in re.finditer(r'\bRng\s+\w+[({][^;]*;', text):
        names |= set(re.findall(r'[)}],\s*(\w+)\s*(?=[({])', m.group(0)))
    return names

def rng_first_in(text, log):
    names = rng_names(text)
    toks = lex(text)
    n = 0
    while n < len(toks):
        if toks[n].k == 'punct' and toks[n].t == '(':
            try: e = match(toks, n)
            except ValueError: break
            spans = arguments(toks, n, e)
            if len(spans) > 1:
                texts = [unlex(toks[a:b]) for a, b in spans]
                at = [k for k, x in enumerate(texts) if is_rng(x, names)]
                p = n - 1
                while p >= 0 and toks[p].k in ('ws', 'comment'): p -= 1
                callee = toks[p].t if p >= 0 else ''
                if len(at) == 1 and at[0] > 0 and callee not in KEEP_ORDER and not callee.startswith(('REQUIRE', 'CHECK')):
                    k = at[0]
                    log.append((callee, unlex(toks[n:e+1]).replace('\n', ' ')))
                    parts = [texts[k].strip()] + [x.strip(' ') if j == 0 else x for j, x in enumerate(texts) if j != k]
                    parts = [parts[0]] + [' ' + x.strip() if '\n' not in x else x for x in parts[1:]]
                    new = lex('(' + ','.join(parts) + ')')
                    toks[n:e+1] = new
        n += 1
    return unlex(toks)

def rng_first(tree):
    log = []
    for p in tree.cxx():
        text = tree.text[p]
        for i in sorted(parse(text), key=lambda i: -i.a):
            new = rng_first_in(text[i.a:i.b], log)
            text = text[:i.a] + new + text[i.b:]
        tree.text[p] = text
    code = re.compile(r'(```cpp\n)(.*?)(```)', re.S)
    for p in list(tree.text):
        if p.endswith('.md'): tree.text[p] = code.sub(lambda m: m.group(1) + rng_first_in(m.group(2), log) + m.group(3), tree.text[p])
    # examples inside comments
    inner = re.compile(r'(\w+)\(([^()]*?), (rng)((?:, [^()]*)?)\)')
    for p in tree.cxx():
        toks = lex(tree.text[p])
        for t in toks:
            if t.k == 'comment': t.t = inner.sub(r'\1(\3, \2\4)', t.t)
        tree.text[p] = unlex(toks)
    return log

# ---------------------------------------------------------------------------------------------------------------------
# American spelling.

ISE = '''normal initial optim minim maxim vector recogn regular organ random summar serial parametr general special real
synchron visual standard penal stabil memor util material quant discret custom author categor character final linear
local neutral priorit symbol token equal capital scrutin critic apolog harmon modern popular sanit trivial binar polar
symmetr orthogonal diagonal factor canonical autom marginal emphas'''.split()
WORDS = [
    (r'(?<![A-Za-z])((?:[Uu]n|[Rr]e|[Dd]e|[Nn]on)?(?:' + '|'.join(f'[{s[0].upper()}{s[0]}]{s[1:]}' for s in ISE if s != 'emphas') +
     r'))is(e|ed|es|er|ers|ing|ation|ations|able)(?![a-z])', r'\1iz\2'),
    (r'(?<=[a-z])(Normal|Initial|Optim|Minim|Vector|Regular)is(e|ed|es|er|ers|ing|ation)(?![a-z])', r'\1iz\2'),
    (r'([Cc])olour', r'\1olor'),
    (r'(?<![A-Za-z])((?:[Rr]e)?)([Cc])entre(s?)(?![a-z])', r'\1\2enter\3'),
    (r'(?<![A-Za-z])((?:[Rr]e)?)([Cc])entred(?![a-z])', r'\1\2entered'),
    (r'(?<![A-Za-z])((?:[Rr]e)?)([Cc])entring(?![a-z])', r'\1\2entering'),
    (r'(?<=[a-z])Centre(d?)(s?)(?![a-z])', lambda m: 'Center' + ('ed' if m.group(1) else '') + m.group(2)),
    (r'([Nn])eighbour', r'\1eighbor'), (r'([Bb])ehaviour', r'\1ehavior'), (r'([Ff])avour', r'\1avor'),
    (r'([Hh])onour', r'\1onor'), (r'([Ff])lavour', r'\1lavor'), (r'([Hh])arbour', r'\1arbor'),
    (r'([Ll])abelled', r'\1abeled'), (r'([Ll])abelling', r'\1abeling'), (r'([Mm])odelled', r'\1odeled'),
    (r'([Mm])odelling', r'\1odeling'), (r'([Cc])ancelled', r'\1anceled'), (r'([Cc])ancelling', r'\1anceling'),
    (r'(?<![A-Za-z])([Gg])rey(?![a-z])', r'\1ray'), (r'([Aa])nalyse', r'\1nalyze'), (r'([Cc])atalogue', r'\1atalog'),
    (r'([Aa])rtefact', r'\1rtifact'), (r'(?<![A-Za-z])([Ll])icence', r'\1icense'), (r'([Jj])udgement', r'\1udgment'),
    (r'(?<![A-Za-z])([Dd])efence', r'\1efense'), (r'(?<![A-Za-z])([Ff])ulfil(s?)(?![a-z])', r'\1ulfill\2'),
    (r'(?<![A-Za-z])([Tt])ravelled', r'\1raveled'), (r'(?<![A-Za-z])([Mm])etre(s?)(?![a-z])', r'\1eter\2'),
]
def spelling(tree):
    for p in list(tree.text):
        if p in ('LICENSE', 'cmake/DownloadMnist.cmake') or 'stb_' in p: continue
        for pattern, to in WORDS: tree.text[p] = re.sub(pattern, to, tree.text[p])

# ---------------------------------------------------------------------------------------------------------------------
# Names that need more than a table.

def size2d(tree):
    """Pair -> Size2d in the library; the tests' pair of networks becomes SmallPair."""
    for p in tree.cxx() + [p for p in tree.text if p.endswith('.md')]:
        if 'Pair' not in tree.text[p]: continue
        networks = p == 'tests/support/networks.hpp'
        toks = lex(tree.text[p])
        real = [n for n, t in enumerate(toks) if t.k not in ('ws', 'comment', 'pp')]
        for k, n in enumerate(real):
            t = toks[n]
            if t.k != 'id': continue
            if t.t == 'PairOptions': t.t = 'SmallPairOptions'
            if t.t != 'Pair': continue
            nxt = toks[real[k+1]].t if k + 1 < len(real) else ''
            t.t = 'SmallPair' if networks or nxt == '<' else 'Size2d'
        for t in toks:
            if t.k == 'comment': t.t = re.sub(r'(?<!\w)Pair(?!\w)', 'SmallPair' if networks else 'Size2d', t.t)
        tree.text[p] = unlex(toks)

def stddev(tree):
    for p in tree.cxx():
        if 'deviation' not in tree.text[p]: continue
        toks = lex(tree.text[p])
        for t in toks:
            if t.k == 'id':
                if t.t == 'deviation': t.t = 'stddev'
                elif re.search(r'(?:^|_)deviation(?:_|$)', t.t): t.t = re.sub(r'(?<![a-z])deviation(?![a-z])', 'stddev', t.t)
            elif t.k == 'str' and 'TEST' not in t.t:
                # options are named in messages as they are in code; sentences keep the word
                if re.search(r'(?<!standard )\bdeviation (?=["\-0-9])|, deviation "|^"deviation ', t.t):
                    t.t = re.sub(r'(?<!standard )\bdeviation(?= ["\-0-9]| $)', 'stddev', t.t)
                t.t = re.sub(r'(?<!standard )\bdeviation "$', 'stddev "', t.t)
                t.t = re.sub(r'\ba deviation of at least', 'a stddev of at least', t.t)
            elif t.k == 'comment':
                t.t = re.sub(r'`deviation`', '`stddev`', t.t)
                t.t = re.sub(r'\bdeviation (?=>=)', 'stddev ', t.t)
                t.t = re.sub(r'\|x - mean\| / deviation', '|x - mean| / stddev', t.t)
        text = unlex(toks)
        text = re.sub(r'deviation\n(///? )>= 0\.', r'\n\1stddev >= 0.', text)
        text = text.replace('spacing >= 0,\n/// \n/// stddev >= 0.', 'spacing >= 0,\n/// stddev >= 0.')
        tree.text[p] = text
    for p in list(tree.text):
        if p.endswith('.md'): tree.text[p] = re.sub(r'\.deviation\b', '.stddev', tree.text[p])

def pictures(tree):
    """Identifiers with `picture` in them say `image`; a local `picture` too where its file has no `image`."""
    everywhere = set()
    for p in tree.cxx(): everywhere |= {t.t for t in lex(tree.text[p]) if t.k == 'id'}
    for p in tree.cxx():
        if 'icture' not in tree.text[p]: continue
        toks = lex(tree.text[p])
        here = {t.t for t in toks if t.k == 'id'}
        def to(word):
            if word == 'picture': return 'image' if 'image' not in here else word
            if word == 'pictures': return 'images' if 'images' not in here else word
            new = word.replace('picture', 'image').replace('Picture', 'Image')
            if new in everywhere and new not in ('Image',): miss(f'rename: {word} -> {new} in {p}: the name is taken'); return word
            return new
        for t in toks:
            if t.k == 'id' and 'icture' in t.t: t.t = to(t.t)
            elif t.k == 'str': t.t = re.sub(r'\b(read|find|fit)_picture(s?)\b', r'\1_image\2', t.t)
            elif t.k == 'comment':
                t.t = re.sub(r'\b\w+_pictures?\b|\b\w*_?pictures?_\w+\b|\b[A-Z]\w+Picture\b|`picture`', lambda m: m.group(0).replace('picture', 'image').replace('Picture', 'Image'), t.t)
        tree.text[p] = unlex(toks)
    for p in list(tree.text):
        if p.endswith('.md'): tree.text[p] = re.sub(r'\b(read|find|fit)_picture(s?)\b', r'\1_image\2', tree.text[p])

def samples(tree):
    """Batch::images -> samples."""
    p = H('data/batch.hpp')
    edit(tree, p, r'(?<=Tensor<T> )images(?=;)', 'samples')
    edit(tree, p, r'^/// Images \[k', '/// Samples [k')
    for p in tree.cxx():
        if p.startswith((H('ops/'), 'tests/ops/')): continue
        toks = lex(tree.text[p])
        real = [n for n, t in enumerate(toks) if t.k not in ('ws', 'comment', 'pp')]
        for k, n in enumerate(real):
            if toks[n].k == 'id' and toks[n].t == 'images' and k and toks[real[k-1]].t == '.' and not (k > 1 and toks[real[k-2]].t in ('options', 's', 'options_', 'tiles')):
                toks[n].t = 'samples'
        tree.text[p] = unlex(toks)
    for p in list(tree.text):
        if p.endswith(('.md', '.hpp', '.cpp')): tree.text[p] = tree.text[p].replace('images/s', 'samples/s')
        if p.endswith('.md'): tree.text[p] = re.sub(r'\.next\(\)\.images\b', '.next().samples', tree.text[p])

def scalar(tree):
    """Trainer::T, Run::T -> Scalar."""
    for p in tree.headers():
        if not p.startswith(H('train/')): continue
        text = tree.text[p]
        classes = {i.name for i in parse(text) if i.kind == 'type' and re.search(r'\busing T = typename (G|Trainer)::\w+;', i.text)}
        for i in sorted(parse(text), key=lambda i: -i.a):
            if i.name.split('::')[0] not in classes: continue
            if re.search(r'(?:class|typename|floating_point) T\b', i.text): miss(f'scalar: {i.name} in {p} has a template parameter T'); continue
            toks = lex(i.text)
            for t in toks:
                if t.k == 'id' and t.t == 'T': t.t = 'Scalar'
            text = text[:i.a] + unlex(toks) + text[i.b:]
        tree.text[p] = text
    for p in tree.cxx() + [p for p in tree.text if p.endswith('.md')]:
        tree.text[p] = re.sub(r'\b(Trainer|Run|Run<\w+>)::T\b', r'\1::Scalar', tree.text[p])

WATCH = {'alike': 'min_diversity', 'rejected': 'min_fake_score', 'fooled': 'max_score_gap', 'apart': 'max_energy_distance',
         'vanished': 'min_gradient_norm', 'exploded': 'max_gradient_norm'}
def watch(tree):
    for p in tree.cxx():
        text = tree.text[p]
        if 'CollapseWatch' not in text and 'collapse_watch' not in text: continue
        toks = lex(text)
        real = [n for n, t in enumerate(toks) if t.k not in ('ws', 'comment', 'pp')]
        for k, n in enumerate(real):
            t = toks[n]
            if t.k == 'id' and t.t in WATCH and k and toks[real[k-1]].t in ('.', 'double'): t.t = WATCH[t.t]
        for t in toks:
            if t.k == 'comment': t.t = re.sub(r'`(\w+)`', lambda m: '`' + WATCH.get(m.group(1), m.group(1)) + '`', t.t)
            if t.k == 'str': t.t = t.t.replace('exploded > vanished', 'max_gradient_norm > min_gradient_norm')
        tree.text[p] = unlex(toks)
    p = H('train/callbacks/collapse_watch.hpp')
    # not a < b, a > c, which clang-format takes for template arguments
    edit(tree, p, r'\bm\.diversity ?< ?o\.min_diversity, m\.diversity ?> ?', 'o.min_diversity > m.diversity, m.diversity > ', optional=True)
    edit(tree, p, r'\bnorm ?< ?o\.min_gradient_norm, norm ?> ?', 'o.min_gradient_norm > norm, norm > ', optional=True)
    edit(tree, p, r'///< norm of a network\'s gradient; steps of Adam are noise from its epsilon of 1e-8 on',
         "///< of a network: steps of Adam are noise from its epsilon of 1e-8 on", optional=True)

def layers(tree):
    """`using Options` in every layer, options by const reference."""
    for p in tree.headers():
        if not p.startswith(H('nn/')): continue
        text = tree.text[p]
        for i in sorted(parse(text), key=lambda i: -i.a):
            m = re.search(r'class (\w+)(?: final)? : public (?:Layer|Module)<T> \{\n public:\n', i.text)
            if not m or 'using Options' in i.text: continue
            o = re.search(m.group(1) + r'\(Module<T>\* parent,[^;{]*?\b(\w+Options)\b(?: const)? ?(&?) ?options = \{\}\)', i.text)
            if not o: continue
            new = i.text[:m.end()] + f'  using Options = {o.group(1)};\n\n' + i.text[m.end():]
            new = re.sub(r'(?<!const )\b' + o.group(1) + r' options = \{\}\)', f'const {o.group(1)}& options = {{}})', new)
            text = text[:i.a] + new + text[i.b:]
        tree.text[p] = text

CLASHES = [  # a name of `detail` with two meanings: (folder or header, name, better)
    ('core/schedule.hpp', 'check_factor', 'check_schedule_factor'),
    ('core/schedule.hpp', 'progress', 'share_of_steps'),
    ('models/latent.hpp', 'check_same_shape', 'check_same_latents'),
    ('ops/kernels/conv_depthwise.hpp', 'multiply_add', 'multiply_add_channels'),
    ('ops/resize.hpp', 'interpolate', 'resize_linear'),
    ('ops/resize.hpp', 'interpolate_adjoint', 'resize_linear_adjoint'),
    ('models/dcgan.hpp', 'dcgan_scale', 'total_stride'),
]
def clashes(tree):
    for path, old, new in CLASHES:
        p = H(path)
        if p not in tree.text: miss(f'clash: {path}'); continue
        toks = lex(tree.text[p])
        real = [n for n, t in enumerate(toks) if t.k not in ('ws', 'comment', 'pp')]
        hits = 0
        for k, n in enumerate(real):
            t = toks[n]
            if t.k == 'str' and path == 'ops/resize.hpp' and t.t == f'"{old}"': t.t = f'"{new}"'
            if t.k != 'id' or t.t != old: continue
            prev, before = (toks[real[k-1]].t if k else ''), (toks[real[k-2]].t if k > 1 else '')
            if prev in ('.', '->') or (prev == '::' and before != 'detail'): continue
            t.t = new; hits += 1
        if not hits: miss(f'clash: {old} in {path}')
        tree.text[p] = unlex(toks)


# ---------------------------------------------------------------------------------------------------------------------
# Tests.

def is_case(i): return i.name.endswith('TEST_CASE') or i.name.startswith('TEST_CASE')
def title_of(i):
    m = re.search(r'TEST_CASE(?:_\w+)?\(\s*"((?:\\.|[^"\\])*)"', i.text)
    return m.group(1) if m else ''

def test_splits(tree):
    for src, dst, pattern in TEST_SPLITS:
        if src not in tree.text: miss(f'test split: {src}'); continue
        items = parse(tree.text[src])
        cases = [i for i in items if is_case(i)]
        chosen = [i for i in cases if re.match(pattern, title_of(i))]
        if not chosen: miss(f'test split: no case like /{pattern}/ in {src}'); continue
        if len(chosen) == len(cases):
            if dst in tree.text: miss(f'test split: all of {src} would go to {dst}'); continue
            tree.git('mv', src, dst)
            tree.text[dst] = re.sub(r'\A(?://[^\n]*\n)+', '', tree.text.pop(src))
            prune_test(tree, dst, dst)
            continue
        helpers = [i for i in items if not is_case(i)]
        words = {id(i): {t.t for t in lex(i.text) if t.k == 'id'} for i in items}
        def needed(of):
            need, open_ = set(), set().union(*(words[id(i)] for i in of))
            while True:
                more = [h for h in helpers if id(h) not in need and (h.name.split('::')[0] in open_ or h.kind == 'other' and (
                    not (m := re.search(r'^using (?!namespace)[\w:]*?(\w+);', h.text, re.M)) or m.group(1) in open_))]
                if not more: return need
                for h in more: need.add(id(h)); open_ |= words[id(h)]
        there, here = needed(chosen), needed([i for i in cases if i not in chosen])
        shared = [h for h in helpers if id(h) in there and id(h) in here and h.kind not in ('using', 'other') and
                  h.text.count('\n') > 3]
        if shared: print(f'not split: {dst} would share {", ".join(h.name for h in shared)} with {src}'); continue
        if dst in tree.text: miss(f'test split: {dst} is there already'); continue
        head = tree.text[src][:items[0].a]
        head = re.sub(r'\A(?://[^\n]*\n)+', '', head)
        head = re.sub(r'^(?!#)[^\n]*\n', '\n', head, flags=re.M)  # only directives
        out, inside = [head], False
        for i in items:
            if i not in chosen and not (id(i) in there): continue
            anonymous = '<anonymous>' in i.ns
            if anonymous != inside: out.append('namespace {\n' if anonymous else '}  // namespace\n'); inside = anonymous
            if out[-1].startswith('using') and i.text.startswith('using'): out[-1] = out[-1].rstrip('\n')
            out.append(i.text + '\n')
        if inside: out.append('}  // namespace\n')
        tree.text[dst] = '\n'.join(out)
        tree.text[src] = cut(tree.text[src], chosen + [h for h in helpers if id(h) in there and id(h) not in here])
        for p in (src, dst): tree.text[p] = bare_aliases(tree.text[p])
        for p in (src, dst): prune_test(tree, p, dst if p == dst else src)

ROOT_HPP = '''// A module to hang layers on.
#pragma once

#include "gan/nn/module.hpp"

namespace gan::test {

template <class T>
struct Root : Module<T> {
  explicit Root(Rng& rng) : Module<T>(rng) {}
};

}  // namespace gan::test
'''

def roots(tree):
    """The tests' modules without anything of their own become one."""
    plain = re.compile(r'((?:///?[^\n]*\n)*)(template <class T>\s*)?(?:struct|class) Root(?: final)? : (?:public )?(?:gan::)?Module<(\w+)> \{\s*(?:public:\s*)?'
                       r'explicit Root\((?:gan::)?Rng& (\w+)\) : (?:gan::)?Module<\3>\(\4\) \{\}\s*\};\Z')
    hits = 0
    for p in tree.cxx('tests/'):
        for i in parse(tree.text[p]):
            m = plain.match(i.text) if i.name == 'Root' else None
            if not m: continue
            alias = 'using gan::test::Root;' if m.group(2) else f'using Root = gan::test::Root<{m.group(3)}>;'
            tree.text[p] = tree.text[p][:i.a] + alias + tree.text[p][i.b:]
            tree.text[p] = re.sub(r'^#include "support/', '#include "support/root.hpp"\n#include "support/', tree.text[p], count=1, flags=re.M)
            tree.text[p] = bare_aliases(tree.text[p])
            hits += 1
            break
    if hits: tree.text['tests/support/root.hpp'] = ROOT_HPP
    else: miss('roots: no test has a plain Root')

def bare_aliases(text):
    """Anonymous namespaces with nothing in them, or nothing but aliases, are not needed."""
    text = re.sub(r'\nnamespace \{\s*\}  // namespace\n', '\n', text)
    return re.sub(r'\n\nnamespace \{\n\n((?:using [^\n]*;\n)+)\n\}  // namespace\n',
                  lambda m: '\n' + m.group(1) if text[:m.start()].split('\n')[-1].startswith('using ') else '\n\n' + m.group(1), text)

def prune_test(tree, p, name):
    own = p[len('tests/'):-len('_test.cpp')] + '.hpp'
    callbacks = 'train/callbacks/' + own.split('/')[-1]
    body = re.sub(r'^#include.*\n', '', tree.text[p], flags=re.M)
    used = {t.t for t in lex(body) if t.k == 'id'}
    first = ''
    for line in re.findall(r'^#include .*\n', tree.text[p], re.M):
        m = re.match(r'#include [<"]([^>"]+)[>"]', line).group(1)
        keep = True
        if m.startswith('gan/'):
            keep = H(m[4:]) not in tree.text or bool(set(declared(tree.text[H(m[4:])])) & used)
            if m[4:] in (own, callbacks): first, keep = line, False
        elif m.startswith('support/') and m != 'support/catch.hpp':
            text = tree.text.get('tests/' + m, '')
            keep = not text or bool((set(declared(text)) | set(re.findall(r'^#define (\w+)', text, re.M))) & used)
        elif m in STD: keep = bool(re.search(STD[m], body))
        if not keep: tree.text[p] = tree.text[p].replace(line, '', 1)
    for h in (own, callbacks):
        if H(h) in tree.text and not first: first = f'#include "gan/{h}"\n'
    text = tree.text[p].lstrip('\n')
    m = re.match(r'(?://[^\n]*\n)*', text)
    tree.text[p] = re.sub(r'\n{3,}', '\n\n', m.group(0) + first + ('\n' if first else '') + text[m.end():].lstrip('\n'))

# ---------------------------------------------------------------------------------------------------------------------
# Edits of single places.

def edits(tree):
    # Scratch: of the buffer cache, not of the tensor's detail.
    p = H('core/scratch.hpp')
    if p in tree.text:
        items = [i for i in parse(tree.text[p]) if i.name == 'Scratch']
        if len(items) == 1 and 'Storage<T> storage_;' in items[0].text:
            i = items[0]
            tree.text[p] = tree.text[p][:i.a] + SCRATCH + tree.text[p][i.b:]
        else: miss('edit: Scratch is not what it was')
        edit(tree, p, r'(#include .*\n)+', '#include <cstddef>\n\n#include "gan/core/memory.hpp"\n#include "gan/core/shape.hpp"\n')
    # parallel_sum, in core: Eigen's maps by their own names
    p = H('core/parallel.hpp')
    edit(tree, p, r'\bValues<T>\(total \+ begin, end - begin\) \+= ConstValues<T>\(sum_of\(part\) \+ begin, end - begin\);',
         'Array(total + begin, end - begin) += ConstArray(sum_of(part) + begin, end - begin);')
    edit(tree, p, r'(void parallel_sum\([^{]*\{\n)',
         r'\1  using Array = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;\n  using ConstArray = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;\n')
    edit(tree, H('ops/convolution.hpp'), r'^// Stride, padding, dilation and groups are in .*\n\n?', '', optional=True)
    edit(tree, H('ops/window.hpp'), r'^struct Conv2dParams \{',
         '/// Of conv2d and its relatives. Layers have options of their own, with a kernel, bias and initializers.\nstruct Conv2dParams {')
    edit(tree, H('ops/window.hpp'), r'\bconst Size2d& pair\)', 'const Size2d& size)', optional=True)
    edit(tree, H('ops/window.hpp'), r'\bpair\.(rows|columns)\b', r'size.\1', count=0, optional=True)
    edit(tree, H('ops/convolution.hpp'), r'^// The three kernels: which code serves which sizes\. Weights are a matrix \[patch, filters\] for dense\n?//? ?geometries\.\n\n?|^// The three kernels: which.*\n\n?', '', optional=True)
    edit(tree, H('ops/kernels/convolve.hpp'), r'\A(// The three products.*\n)', r'\1// Weights are a matrix [patch, filters] for dense geometries.\n')
    edit(tree, H('train/callbacks/stop_when_not_finite.hpp'), r'^// Callbacks that decide.*\n', '', optional=True)

    # What the first lines of tests told of cases that have moved out.
    for p, line in (('tests/ops/slice_test.cpp', ''), ('tests/nn/layer_test.cpp', '// What layers have in common, and layers of the user\'s own.\n'),
                    ('tests/nn/image_layers_test.cpp', ''), ('tests/loss/regression_test.cpp', '')):
        if p in tree.text: tree.text[p] = re.sub(r'\A(?://[^\n]*\n)+\n*', line, tree.text[p])

    edit(tree, 'tests/CMakeLists.txt', r'^# \("support/networks\.hpp"\), which come before the namespace\. A file that defines macros sees the headers in its own way, so it\n# is compiled by itself',
         '# ("optim/reference_values.hpp"), which come before the namespace. A file that defines macros sees the headers in its\n# own way, so it is compiled by itself', optional=True)

    # The version.
    tree.text[H('core/version.hpp')] = VERSION
    edit(tree, 'CMakeLists.txt', r'^project\(gan VERSION [0-9.]+ ', CMAKE_VERSION + 'project(gan VERSION ${gan_version} ')
    edit(tree, 'tests/cmake/consumer/CMakeLists.txt', r'find_package\(gan 0\.1 ', 'find_package(gan 0.2 ')
    edit(tree, 'README.md', r'find_package\(gan 0\.1 ', 'find_package(gan 0.2 ')

    # README's map of folders.
    edit(tree, 'README.md', r'^\| `include/gan/data`, `io` \|.*$',
         '| `include/gan/io` | file formats: PNG, JPEG, IDX, gzip, safetensors; atomic files |\n'
         '| `include/gan/data` | datasets, loader, augmentation, MNIST, image folders, drawn digits, toy mixtures |')
    edit(tree, 'README.md', r'^\| `include/gan/tensor`, `ops` \|.*$',
         '| `include/gan/tensor`, `ops` | tensors, reverse-mode gradients of any order, operations; their loops in `ops/kernels` |')
    edit(tree, 'README.md', r'^\| `include/gan/train` \|.*$',
         '| `include/gan/train` | trainer, checkpoints, moving average; a header each in `train/callbacks` |')
    edit(tree, 'README.md', r'^\| `include/gan/loss`, `optim` \|.*$',
         '| `include/gan/loss`, `optim` | objectives, penalties, either by name; optimizers, clipping |')
    edit(tree, 'README.md', r'^\| `include/gan/core` \|.*$',
         '| `include/gan/core` | errors, shapes, random numbers, schedules, memory, threads, profile, version |')
    edit(tree, 'README.md', r'^A folder includes only those before it: [^.]*\. The\s+headers\s+are the reference: ([^.]*)\.',
         'A folder includes only those before it: core, tensor, then ops beside io, then nn to metrics side by side, models,\n'
         'train. The headers are the reference: formulas, shapes, ranges, errors and papers stand above each declaration.')

SCRATCH = '''/// Uninitialized memory for `count` elements, taken from the buffer cache, for as long as this lives.
template <class T>
class Scratch {
 public:
  explicit Scratch(Index count)
      : bytes_(static_cast<std::size_t>(count) * sizeof(T)),
        data_(static_cast<T*>(BufferCache::instance().acquire(bytes_))) {}
  ~Scratch() { BufferCache::instance().release(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};'''

VERSION = '''// The version of the library: this is the one place where it is written, CMake reads it here.
#pragma once

#define GAN_VERSION_MAJOR 0
#define GAN_VERSION_MINOR 2
#define GAN_VERSION_PATCH 0

namespace gan {

/// The same for code: releases with equal major and minor numbers have one interface.
inline constexpr int version_major = GAN_VERSION_MAJOR;
inline constexpr int version_minor = GAN_VERSION_MINOR;
inline constexpr int version_patch = GAN_VERSION_PATCH;

}  // namespace gan
'''

CMAKE_VERSION = r'''file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/include/gan/core/version.hpp" gan_version REGEX "^#define GAN_VERSION_")
list(TRANSFORM gan_version REPLACE "^.* ([0-9]+)$" "\\\\1")
list(JOIN gan_version "." gan_version)
'''

VERSION_TEST = '''#include "gan/core/version.hpp"

#include "support/catch.hpp"

// CMake's version is read from the same lines.
TEST_CASE("the version's numbers are those of its macros") {
  CHECK(gan::version_major == GAN_VERSION_MAJOR);
  CHECK(gan::version_minor == GAN_VERSION_MINOR);
  CHECK(gan::version_patch == GAN_VERSION_PATCH);
}
'''

FOLDERS = {
    'core': 'Errors, shapes, random numbers, memory, threads, schedules, the version.',
    'tensor': 'Tensors with their history, and gradients of any order.',
    'io': 'File formats, and files that appear as a whole or not at all.',
    'ops': 'Operations: what tensors are computed with.',
    'nn': 'Modules and layers.',
    'loss': 'Objectives, penalties and other losses.',
    'optim': 'Optimizers and limits on gradients.',
    'data': 'Datasets, loaders and augmentation; digits and points that are drawn.',
    'metrics': 'How good and how varied samples are.',
    'models': 'Generators and discriminators.',
    'train': 'The trainer, checkpoints and moving averages.',
    'train/callbacks': 'Callbacks.',
}

def is_public(text):
    if re.search(r'^#define GAN_VERSION', text, re.M): return True
    return any(not {'detail', 'kernels', '<anonymous>'} & set(i.ns) and i.ns[:1] == ('gan',) and i.name for i in parse(text))

def umbrella(tree):
    lines = ['// The whole library, from the bottom to the top; a program may include less. What nothing public stands in (kernels,',
             '// decoders) comes with what uses it.', '#pragma once', '']
    groups = defaultdict(list)
    for p in tree.headers():
        path = p[len('include/gan/'):]
        folder = path.rsplit('/', 1)[0] if '/' in path else ''
        if path == 'gan.hpp' or folder.startswith(('ops/kernels', 'export', 'distributed')): continue
        if not is_public(tree.text[p]): continue
        groups[folder].append(path)
    unknown = set(groups) - set(FOLDERS)
    if unknown: miss(f'umbrella: folders {unknown}')
    for folder, comment in FOLDERS.items():
        if folder not in groups: continue
        lines.append('// ' + comment)
        lines += [f'#include "gan/{path}"' for path in sorted(groups[folder])]
        lines.append('')
    tree.text[H('gan.hpp')] = '\n'.join(lines).rstrip('\n') + '\n'
    # headers that nothing public includes would be forgotten
    reached = closure(tree, H('gan.hpp'))
    for p in tree.headers():
        if p not in reached and p != H('gan.hpp') and not p.startswith((H('export/'), H('distributed/'))): miss(f'umbrella: {p} is not reached')

def structure(tree):
    p = 'tests/cmake/include_directions.cmake'
    edit(tree, p, r'^# core <- tensor <- .*\n',
         '# core <- tensor <- { ops, io } <- { nn, loss, optim, data, metrics } <- models <- train <- { export, distributed }.\n'
         '# Folders inside of these (ops/kernels, train/callbacks) count as the one they stand in. A `detail::name` must be\n'
         '# one of its own folder.\n')
    edit(tree, p, r'^set\(level_ops 2\)\n', 'foreach(folder ops io)\n  set(level_${folder} 2)\nendforeach()\n')
    edit(tree, p, r'^foreach\(folder nn loss optim data metrics io\)', 'foreach(folder nn loss optim data metrics)')
    edit(tree, p, r'^set\(level_train 5\)\n', 'set(level_train 5)\nforeach(folder export distributed)\n  set(level_${folder} 6)\nendforeach()\n')
    edit(tree, p, r'^if\(violations EQUAL 0\)\n', DETAIL_CHECK.replace('\\', r'\\') + 'if(violations EQUAL 0)\n')
    edit(tree, 'tests/cmake/structure.cmake', r'^foreach\(bad sideways upwards unknown_folder own_name_without_gan umbrella\)',
         'foreach(bad sideways upwards io_uses_ops kernels_use_nn nn_uses_models train_uses_export detail_of_others\n'
         '            unknown_folder own_name_without_gan umbrella)')
    for name, (path, comment, includes, body) in FIXTURES.items():
        tree.text[f'tests/cmake/bad_includes/{name}/gan/{path}'] = (
            f'// {comment}\n#pragma once\n\n' + ''.join(f'#include "gan/{i}"\n' for i in includes) + body)
    p = 'tests/cmake/umbrella.cmake'
    edit(tree, p, r'^# Fails unless gan/gan.hpp includes every header of the library, itself or through others\.\n',
         '# Fails unless gan/gan.hpp includes every header of the library, itself or through others, except for export and\n'
         '# distributed, which who wants them includes. It may not name a kernel.\n')
    edit(tree, p, r'^set\(forgotten \$\{headers\}\)\n',
         'list(FILTER headers EXCLUDE REGEX "^gan/(export|distributed)/")\nset(forgotten ${headers})\n')
    tree.text[p] = tree.text[p].rstrip('\n') + '''

file(STRINGS "${ROOT}/gan/gan.hpp" kernels REGEX "gan/ops/kernels/")
if(kernels)
  list(JOIN kernels "\\n  " kernels)
  message(FATAL_ERROR "gan/gan.hpp names kernels\\n  ${kernels}")
endif()
'''

DETAIL_CHECK = r'''# Names of `detail` that no header of the folder has without the `detail::`.
set(texts "")
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^gan/([^/]+)/.*$" "\\1" folder "${header}")
  if(DEFINED level_${folder})
    file(READ "${ROOT}/${header}" text)
    string(REPLACE ";" " " text "${text}")
    string(REPLACE "namespace gan::detail::" "namespace " text "${text}")
    string(APPEND text_of_${folder} "${text}\n")
    list(APPEND texts ${folder})
  endif()
endforeach()
list(REMOVE_DUPLICATES texts)
foreach(folder IN LISTS texts)
  string(REGEX MATCHALL "detail::[A-Za-z_0-9]+" uses "${text_of_${folder}}")
  list(REMOVE_DUPLICATES uses)
  string(REGEX REPLACE "detail::[A-Za-z_0-9]+" "" others "${text_of_${folder}}")
  foreach(use IN LISTS uses)
    string(REPLACE "detail::" "" name "${use}")
    if(NOT others MATCHES "[^A-Za-z_0-9:]${name}[^A-Za-z_0-9]")
      violation("gan/${folder}: uses ${use}, which is of another folder")
    endif()
  endforeach()
endforeach()

'''

FIXTURES = {
    'io_uses_ops': ('io/image_writer.hpp', 'File formats know tensors, but no operations.', ['tensor/tensor.hpp', 'ops/reshape.hpp'], ''),
    'kernels_use_nn': ('ops/kernels/gemm.hpp', 'A folder inside of another has the level of that.', ['core/shape.hpp', 'nn/module.hpp'], ''),
    'nn_uses_models': ('nn/layer.hpp', 'Layers do not know the networks that they are in.', ['nn/module.hpp', 'models/generator.hpp'], ''),
    'train_uses_export': ('train/checkpoint.hpp', 'Who wants to export includes that; nothing of the library does.', ['core/error.hpp', 'export/onnx.hpp'], ''),
    'detail_of_others': ('nn/dense.hpp', 'What is in detail belongs to its folder.', ['ops/matmul.hpp'],
                         '\nnamespace gan {\n\ninline void dense() { detail::product(); }\n\n}  // namespace gan\n'),
}

def first_lines(tree):
    for path, line in FIRST_LINES.items():
        p = H(path)
        if p not in tree.text: miss(f'first line: {path}'); continue
        if line: tree.text[p] = re.sub(r'\A(?://[^\n]*\n)', lambda m: line + '\n', tree.text[p], count=1)

def main():
    if len(sys.argv) < 2: sys.exit(__doc__)
    tree = Tree(sys.argv[1])
    if tree.git('status', '--porcelain', '-uno').strip(): sys.exit('the checkout has changes that are not committed')
    do_moves(tree)
    splitter = Splitter(tree)
    splitter.run()
    first_lines(tree)
    publish(tree, splitter.gone)
    clashes(tree)
    requalify(tree, splitter.gone)
    fix_includes(tree, splitter)
    roots(tree)
    test_splits(tree)
    rename(tree, RENAMES)
    size2d(tree); stddev(tree); pictures(tree); samples(tree); scalar(tree); watch(tree); layers(tree)
    log = rng_first(tree)
    spelling(tree)
    edits(tree)
    tree.text['tests/core/version_test.cpp'] = VERSION_TEST
    umbrella(tree)
    structure(tree)
    changed = tree.write()
    if '--log' in sys.argv:
        for line in log: print('rng first:', *line)
    if '--no-format' not in sys.argv:
        files = [p for p in changed if p.endswith(('.hpp', '.cpp'))]
        for i in range(0, len(files), 20):
            subprocess.run(['clang-format', '-i'] + files[i:i+20], cwd=tree.root, check=True)
    tree.git('add', '-A', 'include', 'tests', 'examples', 'README.md', 'CMakeLists.txt')
    print(f'{len(tree.moved)} files moved, {len(changed)} files written, {len(log)} argument lists reordered, '
          f'{len(missing)} anchors missing')
    sys.exit(min(len(missing), 125))

if __name__ == '__main__': main()
