// Declares that the library's templates for float and double are instantiated elsewhere: in support/instances.cpp, once
// for all test programs. What is missing in these lists is instantiated by each file that uses it, as ever.
#pragma once

#include "gan/gan.hpp"

// clang-format off

// What computes, and is worth optimizing.

#define GAN_TENSOR_INSTANCES(INSTANCE, T) \
  INSTANCE bool all_finite(std::span<const T>); \
  INSTANCE void Rng::uniform(std::span<T>, T, T); \
  INSTANCE void Rng::normal(std::span<T>, T, T); \
  INSTANCE void Rng::bernoulli(std::span<T>, double, T); \
  INSTANCE void Rng::truncated_normal(std::span<T>, std::type_identity_t<T>); \
  INSTANCE Tensor<T> detail::add_gradients(Tensor<T>, const Tensor<T>&, bool); \
  INSTANCE bool detail::is_shared(const std::vector<Tensor<T>>&, std::size_t, const std::vector<Tensor<T>>&, const Tensor<T>&, bool); \
  INSTANCE class Tensor<T>; \
  INSTANCE class Backward<T>; \
  INSTANCE class BackwardPass<T>; \
  INSTANCE std::vector<Tensor<T>> backward(const Tensor<T>&, BackwardOptions); \
  INSTANCE std::vector<Tensor<T>> grad(const Tensor<T>&, const std::vector<Tensor<T>>&, GradOptions, const Tensor<T>&); \
  INSTANCE void print_graph(std::ostream&, const Tensor<T>&); \
  INSTANCE std::unordered_map<std::string, Tensor<T>> check_values(const char*, const NamedTensors<T>&, const NamedTensors<T>&); \
  INSTANCE void copy_values(const char*, const NamedTensors<T>&, const NamedTensors<T>&); \
  INSTANCE Matching copy_matching(const NamedTensors<T>&, const NamedTensors<T>&, const std::string&);

#define GAN_KERNELS_INSTANCES(INSTANCE, T) \
  INSTANCE class kernels::Im2col<T>; \
  INSTANCE void kernels::limit_values(Tensor<T>, double); \
  INSTANCE void kernels::multiply_add(kernels::ConstStridedMatrix<T>, bool, kernels::ConstStridedMatrix<T>, bool, kernels::StridedMatrix<T>); \
  INSTANCE void kernels::gemm(kernels::ConstStridedMatrix<T>, bool, kernels::ConstStridedMatrix<T>, bool, kernels::StridedMatrix<T>, bool); \
  INSTANCE void kernels::copy_run(const T*, Index, T*); \
  INSTANCE void kernels::depthwise_forward(const kernels::ConvGeometry&, const T*, const T*, const T*, T*); \
  INSTANCE void kernels::depthwise_input_gradient(const kernels::ConvGeometry&, const T*, const T*, T*); \
  INSTANCE void kernels::depthwise_weight_gradient(const kernels::ConvGeometry&, const T*, const T*, T*); \
  INSTANCE void kernels::unfolded_forward(const kernels::ConvGeometry&, const T*, const T*, const T*, T*); \
  INSTANCE void kernels::unfolded_input_gradient(const kernels::ConvGeometry&, const T*, const T*, T*); \
  INSTANCE void kernels::unfolded_weight_gradient(const kernels::ConvGeometry&, const T*, const T*, T*); \
  INSTANCE std::optional<kernels::ConvTiles> kernels::conv_tiles<T>(const kernels::ConvGeometry&, bool); \
  INSTANCE void kernels::shifted_forward(const kernels::ConvGeometry&, const kernels::ConvTiles&, const T*, const T*, const T*, T*); \
  INSTANCE void kernels::shifted_input_gradient(const kernels::ConvGeometry&, const kernels::ConvTiles&, const T*, const T*, T*); \
  INSTANCE void kernels::shifted_weight_gradient(const kernels::ConvGeometry&, const kernels::ConvTiles&, const T*, const T*, T*); \
  INSTANCE void kernels::conv_forward(const kernels::ConvGeometry&, const T*, const T*, const T*, T*); \
  INSTANCE void kernels::conv_input_gradient(const kernels::ConvGeometry&, const T*, const T*, T*); \
  INSTANCE void kernels::conv_weight_gradient(const kernels::ConvGeometry&, const T*, const T*, T*);

#define GAN_OPS_INSTANCES(INSTANCE, T) \
  INSTANCE Tensor<T> reshape(const Tensor<T>&, std::initializer_list<Index>); \
  INSTANCE Tensor<T> flatten(const Tensor<T>&); \
  INSTANCE Tensor<T> sum(const Tensor<T>&, const std::vector<Index>&, bool); \
  INSTANCE Tensor<T> broadcast_to(const Tensor<T>&, const Shape&); \
  INSTANCE Tensor<T> sum_to(const Tensor<T>&, const Shape&); \
  INSTANCE Tensor<T> add(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> sub(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> mul(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> div(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> affine(const Tensor<T>&, double, double); \
  INSTANCE Tensor<T> detail::divide(const Tensor<T>&, double); \
  INSTANCE Tensor<T> exp(const Tensor<T>&); \
  INSTANCE Tensor<T> log(const Tensor<T>&); \
  INSTANCE Tensor<T> abs(const Tensor<T>&); \
  INSTANCE Tensor<T> pow(const Tensor<T>&, double); \
  INSTANCE Tensor<T> sin(const Tensor<T>&); \
  INSTANCE Tensor<T> cos(const Tensor<T>&); \
  INSTANCE Tensor<T> clamp(const Tensor<T>&, double, double); \
  INSTANCE Tensor<T> leaky_relu(const Tensor<T>&, double); \
  INSTANCE Tensor<T> elu(const Tensor<T>&, double); \
  INSTANCE Tensor<T> sigmoid(const Tensor<T>&); \
  INSTANCE Tensor<T> tanh(const Tensor<T>&); \
  INSTANCE Tensor<T> softplus(const Tensor<T>&); \
  INSTANCE Tensor<T> max(const Tensor<T>&, const std::vector<Index>&, bool); \
  INSTANCE BatchNormResult<T> batch_norm(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, double); \
  INSTANCE Tensor<T> matmul(const Tensor<T>&, const Tensor<T>&, MatmulOptions); \
  INSTANCE Tensor<T> linear(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> batched_matmul(const Tensor<T>&, const Tensor<T>&, MatmulOptions); \
  INSTANCE Tensor<T> slice(const Tensor<T>&, Index, Index, Index); \
  INSTANCE Tensor<T> pad(const Tensor<T>&, Index, Index, Index); \
  INSTANCE Tensor<T> concatenate(const std::vector<Tensor<T>>&, Index); \
  INSTANCE Tensor<T> gather(const Tensor<T>&, const Indices&); \
  INSTANCE Tensor<T> scatter_add(const Tensor<T>&, const Indices&, Index); \
  INSTANCE Tensor<T> one_hot(std::span<const Index>, Index); \
  INSTANCE Tensor<T> permute(const Tensor<T>&, const std::vector<Index>&); \
  INSTANCE Tensor<T> transpose(const Tensor<T>&); \
  INSTANCE Condition<T> gather(const Condition<T>&, const std::vector<Index>&); \
  INSTANCE Condition<T> concatenate(const Condition<T>&, const Condition<T>&); \
  INSTANCE Tensor<T> pack_samples(const Tensor<T>&, Index); \
  INSTANCE Condition<T> pack_samples(const Condition<T>&, Index); \
  INSTANCE Tensor<T> conv2d(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Conv2dParams&); \
  INSTANCE Tensor<T> conv2d_input_gradient(const Tensor<T>&, const Tensor<T>&, const Shape&, const Conv2dParams&); \
  INSTANCE Tensor<T> conv2d_weight_gradient(const Tensor<T>&, const Tensor<T>&, const Shape&, const Conv2dParams&); \
  INSTANCE Tensor<T> conv_transpose2d(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Conv2dParams&); \
  INSTANCE Tensor<T> upsample_nearest(const Tensor<T>&, Size2d); \
  INSTANCE Tensor<T> pixel_shuffle(const Tensor<T>&, Index); \
  INSTANCE Tensor<T> pixel_unshuffle(const Tensor<T>&, Index); \
  INSTANCE Tensor<T> downsample_bilinear(const Tensor<T>&, Size2d); \
  INSTANCE Tensor<T> where(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> norm(const Tensor<T>&, const std::vector<Index>&, bool); \
  INSTANCE Tensor<T> gather_pixels(const Tensor<T>&, const SharedPixelMap&); \
  INSTANCE Tensor<T> scatter_pixels(const Tensor<T>&, const SharedPixelMap&, Index, Index); \
  INSTANCE Tensor<T> pad2d(const Tensor<T>&, const Padding&, PaddingMode); \
  INSTANCE Tensor<T> avg_pool2d(const Tensor<T>&, const PoolOptions&); \
  INSTANCE Tensor<T> max_pool2d(const Tensor<T>&, const PoolOptions&); \
  INSTANCE Tensor<T> softmax(const Tensor<T>&); \
  INSTANCE Tensor<T> log_softmax(const Tensor<T>&); \
  INSTANCE std::vector<Tensor<T>> split(const Tensor<T>&, const std::vector<Index>&, Index); \
  INSTANCE std::vector<Tensor<T>> split(const Tensor<T>&, Index, Index); \
  INSTANCE Tensor<T> unsqueeze(const Tensor<T>&, Index); \
  INSTANCE Tensor<T> stack(const std::vector<Tensor<T>>&, Index); \
  INSTANCE Tensor<T> outer(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> cross(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> detail::leaky_relu_gradient(const Tensor<T>&, const Tensor<T>&, double); \
  INSTANCE Tensor<T> detail::tanh_gradient(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> detail::elu_slope(const Tensor<T>&, double); \
  INSTANCE void detail::column_moments(const T*, Index, Index, T*, T*); \
  INSTANCE void detail::batch_norm_vjp_composed(Backward<T>&, double); \
  INSTANCE void detail::batch_norm_vjp_fused(Backward<T>&, const Tensor<T>&, const Tensor<T>&); \
  INSTANCE void detail::copy_rows(const T*, Index, T*, Index, Index, Index); \
  INSTANCE Tensor<T> detail::resize_linear(const Tensor<T>&, Index, Index); \
  INSTANCE Tensor<T> detail::resize_linear_adjoint(const Tensor<T>&, Index, Index); \
  INSTANCE Tensor<T> detail::avg_pool2d_gradient(const Tensor<T>&, const Shape&, const PoolOptions&); \
  INSTANCE Tensor<T> detail::gather_winners(const char*, const Tensor<T>&, const detail::Winners&, const Shape&, const Attributes&); \
  INSTANCE Tensor<T> detail::scatter_winners(const Tensor<T>&, const detail::Winners&, const Shape&, const Attributes&);

#define GAN_NUMBERS_INSTANCES(INSTANCE, T) \
  INSTANCE class Optimizer<T>; \
  INSTANCE class Adam<T>; \
  INSTANCE class RmsProp<T>; \
  INSTANCE class Sgd<T>; \
  INSTANCE class AnyOptimizer<T>; \
  INSTANCE double sum_of_squares(const Tensor<T>&); \
  INSTANCE void scale_gradients(const NamedTensors<T>&, double); \
  INSTANCE double clip_by_global_norm(const NamedTensors<T>&, double); \
  INSTANCE class Dataset<T>; \
  INSTANCE void detail::scale_bytes(const std::uint8_t*, Index, PixelRange, T*); \
  INSTANCE std::vector<T> detail::mixture(Rng&, Index, std::span<const T>, double, std::span<const double>); \
  INSTANCE std::vector<T> gaussian_mixture(Rng&, Index, std::span<const T>, double, std::span<const double>); \
  INSTANCE detail::Features detail::features(const char*, const char*, const Tensor<T>&, Index); \
  INSTANCE Gaussian fit_gaussian(const Tensor<T>&); \
  INSTANCE double squared_mmd(const Tensor<T>&, const Tensor<T>&, const MmdOptions&); \
  INSTANCE ModeCoverage mode_coverage(const Tensor<T>&, const Tensor<T>&, double, std::span<const double>); \
  INSTANCE KernelDistance kernel_distance(Rng&, const Tensor<T>&, const Tensor<T>&, const KernelDistanceOptions&); \
  INSTANCE Nearest nearest(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Prdc prdc(const Tensor<T>&, const Tensor<T>&, Index); \
  INSTANCE double sliced_wasserstein(Rng&, const Tensor<T>&, const Tensor<T>&, const SlicedWassersteinOptions&); \
  INSTANCE std::vector<std::uint8_t> to_bytes(const Tensor<T>&, double, double);

// What calls it.

#define GAN_NN_INSTANCES(INSTANCE, T) \
  INSTANCE class Module<T>; \
  INSTANCE class Parameter<T>; \
  INSTANCE class Buffer<T>; \
  INSTANCE class Freeze<T>; \
  INSTANCE class Evaluate<T>; \
  INSTANCE class Given<T>; \
  INSTANCE class Layer<T>; \
  INSTANCE class ActivationFunction<T>; \
  INSTANCE class Activation<T>; \
  INSTANCE class SpectralNorm<T>; \
  INSTANCE class Dense<T>; \
  INSTANCE class AuxiliaryClassifierHead<T>; \
  INSTANCE class BatchNorm<T>; \
  INSTANCE class Embedding<T>; \
  INSTANCE class ConcatenateClass<T>; \
  INSTANCE class ConditionalBatchNorm<T>; \
  INSTANCE class Conv2d<T>; \
  INSTANCE class ConvTranspose2d<T>; \
  INSTANCE class Downsample2d<T>; \
  INSTANCE class Dropout<T>; \
  INSTANCE class GroupNorm<T>; \
  INSTANCE class InstanceNorm<T>; \
  INSTANCE class LayerNorm<T>; \
  INSTANCE class MinibatchStdDev<T>; \
  INSTANCE class PixelNorm<T>; \
  INSTANCE class Pad2d<T>; \
  INSTANCE class AvgPool2d<T>; \
  INSTANCE class MaxPool2d<T>; \
  INSTANCE class GlobalAveragePool<T>; \
  INSTANCE class ProjectionHead<T>; \
  INSTANCE class Reshape<T>; \
  INSTANCE class Sequential<T>; \
  INSTANCE class Residual<T>; \
  INSTANCE class ResidualBlock<T>; \
  INSTANCE class UNet<T>; \
  INSTANCE class Upsample2d<T>; \
  INSTANCE class PixelShuffle<T>; \
  INSTANCE Tensor<T> embed(Embedding<T>&, const Condition<T>&, Index); \
  INSTANCE std::string summary(Layer<T>&, const Shape&, const Condition<T>&);

#define GAN_LOSS_INSTANCES(INSTANCE, T) \
  INSTANCE class AnyObjective<T>; \
  INSTANCE class AnyPenalty<T>; \
  INSTANCE Tensor<T> bce(const Tensor<T>&, const Tensor<T>&, Reduction, double); \
  INSTANCE Tensor<T> bce_with_logits(const Tensor<T>&, double, Reduction, double); \
  INSTANCE AnyObjective<T> objective_named(std::string_view, double); \
  INSTANCE AnyPenalty<T> penalty_named(std::string_view); \
  INSTANCE void detail::add_penalty_named(AnyPenalty<T>&, std::string_view); \
  INSTANCE Tensor<T> cross_entropy(const Tensor<T>&, std::span<const Index>, Reduction, double); \
  INSTANCE Tensor<T> feature_matching(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Tensor<T> mode_seeking(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, double); \
  INSTANCE Tensor<T> huber(const Tensor<T>&, const Tensor<T>&, double, Reduction); \
  INSTANCE void detail::check_scores(std::string_view, const Tensor<T>&, const Tensor<T>&); \
  INSTANCE Accuracy detail::accuracy_of_pairs(std::string_view, const Tensor<T>&, const Tensor<T>&); \
  INSTANCE void detail::check_same_shape(const char*, const char*, const Tensor<T>&, const char*, const Tensor<T>&); \
  INSTANCE Tensor<T> detail::flipped_labels(Rng&, const Shape&, double, double, double); \
  INSTANCE void detail::check_unit_interval(const char*, const char*, const Tensor<T>&); \
  INSTANCE DiscriminatorLoss<T> detail::flipped_cross_entropies(Rng&, std::string_view, const Tensor<T>&, const Tensor<T>&, double, double); \
  INSTANCE Tensor<T> detail::interpolates(Rng&, std::string_view, const Tensor<T>&, const Tensor<T>&);

#define GAN_DATA_INSTANCES(INSTANCE, T) \
  INSTANCE class Source<T>; \
  INSTANCE class FunctionSource<T>; \
  INSTANCE class Loader<T>; \
  INSTANCE class Together<T>; \
  INSTANCE class Zip<T>; \
  INSTANCE Dataset<T> load_image_folder(const std::filesystem::path&, const ImageFolderOptions&); \
  INSTANCE Split<T> split(const Dataset<T>&, double, std::uint64_t); \
  INSTANCE std::vector<T> gaussian_ring_modes(const GaussianRingOptions&); \
  INSTANCE std::vector<T> gaussian_grid_modes(const GaussianGridOptions&); \
  INSTANCE std::vector<T> swiss_roll(Rng&, Index, const SwissRollOptions&); \
  INSTANCE std::vector<T> two_moons(Rng&, Index, const TwoMoonsOptions&); \
  INSTANCE Dataset<T> detail::load_mnist_files(const std::filesystem::path&, const std::string&, bool, PixelRange); \
  INSTANCE void write_png(const std::filesystem::path&, const Tensor<T>&, double, double); \
  INSTANCE void write_grid(const std::filesystem::path&, const Tensor<T>&, const GridOptions&); \
  INSTANCE void save_safetensors(const std::filesystem::path&, const NamedTensors<T>&, const std::map<std::string, std::string>&, const SafetensorsSaving&); \
  INSTANCE SafetensorsFile<T> load_safetensors(const std::filesystem::path&, const SafetensorsLoading&);

#define GAN_MODELS_INSTANCES(INSTANCE, T) \
  INSTANCE class Discriminator<T>; \
  INSTANCE class Generator<T>; \
  INSTANCE class DcganGenerator<T>; \
  INSTANCE class ImageGenerator<T>; \
  INSTANCE class ImageDiscriminator<T>; \
  INSTANCE class DcganDiscriminator<T>; \
  INSTANCE class GeneratorEnsemble<T>; \
  INSTANCE class DiscriminatorEnsemble<T>; \
  INSTANCE class MlpGenerator<T>; \
  INSTANCE class MlpDiscriminator<T>; \
  INSTANCE class PatchDiscriminator<T>; \
  INSTANCE void add_head(Sequential<T>&, Index, Index, ClassHead, const DenseOptions&, const Initializer&); \
  INSTANCE Tensor<T> lerp(const Tensor<T>&, const Tensor<T>&, double); \
  INSTANCE Tensor<T> slerp(const Tensor<T>&, const Tensor<T>&, double); \
  INSTANCE Tensor<T> interpolate(const Tensor<T>&, const Tensor<T>&, Index, Interpolation); \
  INSTANCE void detail::project_to_sphere(std::span<T>); \
  INSTANCE void detail::slerp_row(const T*, const T*, Index, double, T*); \
  INSTANCE Index detail::picked_by_bits(const T*, Index, Index);

#define GAN_TRAIN_INSTANCES(INSTANCE, T) \
  INSTANCE class Callback<T>; \
  INSTANCE class GradientHooks<T>; \
  INSTANCE class KeptBuffers<T>; \
  INSTANCE class Trial<T>; \
  INSTANCE class StateAverage<T>; \
  INSTANCE class MovingAverage<T>; \
  INSTANCE class Player<T>; \
  INSTANCE class Game<T>; \
  INSTANCE class DiscriminatorInput<T>; \
  INSTANCE class Run<T>; \
  INSTANCE class ImagePool<T>; \
  INSTANCE class PowerAverage<T>; \
  INSTANCE class Trainer<T>; \
  INSTANCE class Checkpoint<T>; \
  INSTANCE class CollapseWatch<T>; \
  INSTANCE class CsvLog<T>; \
  INSTANCE class EverySteps<T>; \
  INSTANCE class ProgressBar<T>; \
  INSTANCE class SampleGrid<T>; \
  INSTANCE class StopOnInterrupt<T>; \
  INSTANCE void warn_about_game(const AnyObjective<T>&, const AnyPenalty<T>&, const Module<T>&); \
  INSTANCE void warn_about_range(const Tensor<T>&, const Tensor<T>&); \
  INSTANCE void check_loss(const std::string&, const Tensor<T>&, Index); \
  INSTANCE double checked_norm(const std::string&, const NamedTensors<T>&, Index); \
  INSTANCE Tensor<T> in_layout(const Tensor<T>&, const Shape&); \
  INSTANCE std::string structure_text(const Module<T>&); \
  INSTANCE void save_checkpoint(const std::filesystem::path&, Game<T>&, const Source<T>*, const std::map<std::string, std::string>&); \
  INSTANCE void load_checkpoint(const std::filesystem::path&, Game<T>&, Source<T>*, const ResumeOptions&); \
  INSTANCE std::map<std::string, std::string> load_network(const std::filesystem::path&, Module<T>&, const std::string&); \
  INSTANCE void check_trainer_options(const TrainerOptions<T>&); \
  INSTANCE void check_joint_pass(Layer<T>&, const Tensor<T>&, const Tensor<T>&, const Condition<T>&); \
  INSTANCE NamedTensors<T> reconstruct(const std::vector<PowerSnapshot<T>>&, double, Index); \
  INSTANCE std::string_view detail::last_operation(const Tensor<T>&); \
  INSTANCE bool detail::differs(const Tensor<T>&, Index, const Tensor<T>&);

// clang-format on

#define GAN_ALL_INSTANCES(INSTANCE, T) \
  GAN_TENSOR_INSTANCES(INSTANCE, T)    \
  GAN_KERNELS_INSTANCES(INSTANCE, T)   \
  GAN_OPS_INSTANCES(INSTANCE, T)       \
  GAN_NUMBERS_INSTANCES(INSTANCE, T)   \
  GAN_NN_INSTANCES(INSTANCE, T)        \
  GAN_LOSS_INSTANCES(INSTANCE, T)      \
  GAN_DATA_INSTANCES(INSTANCE, T)      \
  GAN_MODELS_INSTANCES(INSTANCE, T)    \
  GAN_TRAIN_INSTANCES(INSTANCE, T)

namespace gan {

GAN_ALL_INSTANCES(extern template, float)
GAN_ALL_INSTANCES(extern template, double)

}  // namespace gan
