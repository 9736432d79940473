// Many matrix products at once.
#pragma once

#include "gan/ops/matmul.hpp"

namespace gan {

/// op(a) op(b) for each matrix on the last two axes, where op transposes if asked: a [..., m, k], b [..., k, n] ->
/// [..., m, n]. The leading axes broadcast. With two axes each it is matmul. Throws unless both have at least 2 axes
/// and they fit.
template <class T>
Tensor<T> batched_matmul(const Tensor<T>& a, const Tensor<T>& b, MatmulOptions options = {}) {
  const bool ta = options.transpose_a, tb = options.transpose_b;
  if (a.rank() == 2 && b.rank() == 2) return matmul(a, b, options);
  check(a.rank() >= 2 && b.rank() >= 2, "batched_matmul: a ", a.shape(), " and b ", b.shape(),
        ", expected [..., m, k] and [..., k, n]");
  const Index m = a.shape()[ta ? -1 : -2], k = a.shape()[ta ? -2 : -1], n = b.shape()[tb ? -2 : -1];
  check(k == b.shape()[tb ? -1 : -2], "batched_matmul: a ", a.shape(), ta ? " transposed" : "", " and b ", b.shape(),
        tb ? " transposed" : "", " do not fit: inner lengths ", k, " and ", b.shape()[tb ? -1 : -2]);
  if (b.rank() == 2 && !ta)  // one product of all rows
    return reshape(matmul(reshape(a, Shape{a.shape().rows(), k}), b, options), a.shape().with(-1, n));
  const Shape lead_a = a.shape().without(-1).without(-1), lead_b = b.shape().without(-1).without(-1);
  const Shape lead = broadcast("batched_matmul", lead_a, lead_b);
  auto c = Tensor<T>::zeros(lead.inserted(lead.rank(), m).inserted(lead.rank() + 1, n));
  const Index count = lead.size();
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const Profile::Scope scope("batched_matmul", 2 * work * static_cast<double>(count));
  const kernels::BroadcastLoop loop(lead, lead_a, lead_b);
  const auto inner = loop.axes.back();
  const T *from_a = a.data(), *from_b = b.data();
  T* to = c.mutable_data();
  const auto operand = [](const T* data, Index rows, Index columns, bool transposed) {
    return transposed ? kernels::packed(data, columns, rows) : kernels::packed(data, rows, columns);
  };
  const auto each = [&](Index begin, Index end, auto multiply) {
    for (Index i = begin; i < end; ++i) {
      const auto [row_a, row_b] = loop.offsets(i / inner.length);
      const Index at_a = row_a + i % inner.length * inner.a, at_b = row_b + i % inner.length * inner.b;
      multiply(operand(from_a + at_a * m * k, m, k, ta), operand(from_b + at_b * k * n, k, n, tb),
               kernels::packed(to + i * m * n, m, n));
    }
  };
  constexpr double smallest_task = 50000;
  if (c.size() > 0 && k > 0) {
    if (count >= threads())
      parallel_for(count, std::max<Index>(1, static_cast<Index>(smallest_task / work)), [&](Index begin, Index end) {
        each(begin, end, [&](auto p, auto q, auto product) { kernels::multiply_add<T>(p, ta, q, tb, product); });
      });
    else  // few large ones: the threads share each
      each(0, count, [&](auto p, auto q, auto product) { kernels::gemm<T>(p, ta, q, tb, product, true); });
  }
  return record(
      "batched_matmul", c, {a, b},
      [ta, tb](Backward<T>& d) {
        const auto& g = d.grad();
        if (d.wants(0))
          d.give(0, sum_to(ta ? batched_matmul(d.x(1), g, {.transpose_a = tb, .transpose_b = true})
                              : batched_matmul(g, d.x(1), {.transpose_b = !tb}),
                           d.shape(0)));
        if (d.wants(1))
          d.give(1, sum_to(tb ? batched_matmul(g, d.x(0), {.transpose_a = true, .transpose_b = ta})
                              : batched_matmul(d.x(0), g, {.transpose_a = !ta}),
                           d.shape(1)));
      },
      [=] {
        return AttributeList{{"transpose", {double(ta), double(tb)}}};
      },
      Reads::product(a, b));
}

}  // namespace gan
