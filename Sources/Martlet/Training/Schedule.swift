#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How the learning rate changes in the course of training: a factor of the rate at which it begins, for each step.
///
/// ```swift
/// try trainer.fit(data, epochs: 20, schedule: .warmUp(epochs: 1, then: .cosine()))
/// ```
public struct Schedule: Sendable {
  /// A place in a training run.
  public struct Position: Hashable, Sendable {
    /// The number of steps before this one.
    public var step: Int
    /// The number of steps in all.
    public var steps: Int
    /// The number of steps in going through the data once.
    public var stepsPerEpoch: Int

    /// Makes a position.
    public init(step: Int, steps: Int, stepsPerEpoch: Int) {
      self.step = step
      self.steps = steps
      self.stepsPerEpoch = stepsPerEpoch
    }

    /// How many times training has gone through the data, with the part of this time.
    public var epoch: Double { Double(step) / Double(max(stepsPerEpoch, 1)) }
    /// How many times training goes through the data in all.
    public var epochs: Double { Double(steps) / Double(max(stepsPerEpoch, 1)) }
  }

  private let function: @Sendable (Position) -> Double

  /// Makes a schedule from the factor of the learning rate at each position.
  public init(_ function: @escaping @Sendable (Position) -> Double) { self.function = function }

  /// The factor of the learning rate at a position.
  public func factor(_ position: Position) -> Double { function(position) }
}

extension Schedule {
  /// The rate stays.
  public static let constant = Schedule { _ in 1 }

  /// The rate is multiplied by a factor after every so many epochs.
  public static func step(every epochs: Double, by factor: Double = 0.1) -> Schedule {
    Schedule { pow(factor, ($0.epoch / epochs).rounded(.down)) }
  }

  /// `factor^epoch`, which falls with every step.
  public static func exponential(_ factor: Double) -> Schedule {
    Schedule { pow(factor, $0.epoch) }
  }

  /// `1 / (1 + decay * epoch)` (Robbins and Monro, "A stochastic approximation method", 1951, ask for such a fall).
  public static func inverseTime(decay: Double) -> Schedule {
    Schedule { 1 / (1 + decay * $0.epoch) }
  }

  /// Half a cosine from 1 at the beginning to `end` when training ends (Loshchilov and Hutter, "SGDR: stochastic gradient
  /// descent with warm restarts", ICLR 2017).
  public static func cosine(to end: Double = 0) -> Schedule {
    Schedule { end + (1 - end) * (1 + cos(.pi * $0.epoch / max($0.epochs, .ulpOfOne))) / 2 }
  }

  /// A straight line from `start` to 1 over the first epochs, then another schedule for what is left (Goyal et al.,
  /// "Accurate, large minibatch SGD", 2017).
  public static func warmUp(
    epochs: Double, from start: Double = 0, then rest: Schedule = .constant
  ) -> Schedule {
    Schedule { position in
      let steps = max(epochs * Double(position.stepsPerEpoch), 0)
      guard Double(position.step) >= steps else {
        // The first step already counts, so that it is not lost at a rate of 0.
        return start + (1 - start) * min(Double(position.step + 1) / max(steps, 1), 1)
      }
      let skipped = Int(steps.rounded(.up))
      return rest.factor(
        Position(
          step: position.step - skipped, steps: position.steps - skipped,
          stepsPerEpoch: position.stepsPerEpoch))
    }
  }

  /// Half a cosine up from `1 / start` to 1 within a share of the steps, and half a cosine down to `1 / (start * end)`
  /// (Smith and Topin, "Super-convergence", 2018): the learning rate given is the greatest.
  public static func oneCycle(
    rise share: Double = 0.3, start: Double = 25, end: Double = 1e4
  ) -> Schedule {
    Schedule { position in
      let last = max(Double(position.steps - 1), 1)
      let top = max(share * Double(position.steps) - 1, 0)
      let step = Double(position.step)
      func between(_ from: Double, _ to: Double, _ part: Double) -> Double {
        to + (from - to) * (1 + cos(.pi * min(max(part, 0), 1))) / 2
      }
      return step <= top
        ? between(1 / start, 1, step / max(top, .ulpOfOne))
        : between(1, 1 / (start * end), (step - top) / max(last - top, .ulpOfOne))
    }
  }
}
