/**
 * Ridge regression by the normal equations, small enough to refit in milliseconds (Hoerl and Kennard 1970).
 * The penalty is chosen, and honest residuals are had, by leaving out each fold in turn.
 */

const PENALTIES: readonly number[] = [1e-1, 1, 10, 100, 1e3, 1e4];

export type RidgeData = {
  readonly featureCount: number;
  /** Row after row. */
  readonly features: Float64Array;
  readonly outcomes: Float64Array;
  /** Fold of each row, 0 … foldCount − 1; rows near in time belong into the same fold. */
  readonly folds: Uint8Array;
  /** How much each row counts, above 0. */
  readonly weights: Float64Array;
  readonly foldCount: number;
};

export type RidgeFit = {
  /** Intercept last. */
  readonly coefficients: Float64Array;
  /** Per row: prediction by the fit that did not see the row's fold. */
  readonly heldOut: Float64Array;
  readonly penalty: number;
};

/** Sums of products of one set of rows; the last column is the intercept's one, `size` = features + 1. */
type Moments = {
  readonly size: number;
  readonly products: Float64Array;
  readonly withOutcome: Float64Array;
  readonly outcomeSquares: Float64Array;
};

/** Fits with the penalty that predicts left-out folds best. */
export function fitRidge(data: RidgeData): RidgeFit {
  const byFold = momentsByFold(data);
  const total = byFold.reduce((sum, fold) => combine(sum, fold, 1));
  const others = byFold.map((fold) => combine(total, fold, -1));
  let best = { loss: Number.POSITIVE_INFINITY, penalty: 1, fits: [] as readonly Float64Array[] };
  for (const penalty of PENALTIES) {
    const fits = others.map((rest) => solveRidge(rest, penalty));
    const loss = fits.reduce((sum, coefficients, fold) => sum + squaredError(byFold[fold] ?? total, coefficients), 0);
    if (loss < best.loss) best = { loss, penalty, fits };
  }
  return {
    coefficients: solveRidge(total, best.penalty),
    heldOut: predictHeldOut(data, best.fits),
    penalty: best.penalty,
  };
}

/** Prediction for the row of features that starts at `offset`. */
export function predictRow(coefficients: Float64Array, features: Float64Array, offset: number): number {
  const count = coefficients.length - 1;
  let sum = coefficients[count] ?? 0;
  for (let index = 0; index < count; index++) sum += (coefficients[index] ?? 0) * (features[offset + index] ?? 0);
  return sum;
}

function predictHeldOut(data: RidgeData, fits: readonly Float64Array[]): Float64Array {
  return data.outcomes.map((_, row) => {
    const coefficients = fits[data.folds[row] ?? 0];
    return coefficients === undefined ? Number.NaN : predictRow(coefficients, data.features, row * data.featureCount);
  });
}

function momentsByFold(data: RidgeData): readonly Moments[] {
  const size = data.featureCount + 1;
  const folds = Array.from({ length: data.foldCount }, () => emptyMoments(size));
  const row = new Float64Array(size);
  row[size - 1] = 1;
  for (let index = 0; index < data.outcomes.length; index++) {
    row.set(data.features.subarray(index * data.featureCount, (index + 1) * data.featureCount));
    const fold = folds[data.folds[index] ?? 0];
    if (fold !== undefined) addRow(fold, row, data.outcomes[index] ?? 0, data.weights[index] ?? 0);
  }
  return folds;
}

function emptyMoments(size: number): Moments {
  return {
    size,
    products: new Float64Array(size * size),
    withOutcome: new Float64Array(size),
    outcomeSquares: new Float64Array(1),
  };
}

function addRow(moments: Moments, row: Float64Array, outcome: number, weight: number): void {
  const { size, products, withOutcome, outcomeSquares } = moments;
  for (let i = 0; i < size; i++) {
    const left = weight * (row[i] as number);
    withOutcome[i] = (withOutcome[i] as number) + left * outcome;
    const base = i * size;
    for (let j = 0; j <= i; j++) products[base + j] = (products[base + j] as number) + left * (row[j] as number);
  }
  outcomeSquares[0] = (outcomeSquares[0] as number) + weight * outcome * outcome;
}

function combine(left: Moments, right: Moments, sign: 1 | -1): Moments {
  const add = (a: Float64Array, b: Float64Array): Float64Array =>
    a.map((value, index) => value + sign * (b[index] ?? 0));
  return {
    size: left.size,
    products: add(left.products, right.products),
    withOutcome: add(left.withOutcome, right.withOutcome),
    outcomeSquares: add(left.outcomeSquares, right.outcomeSquares),
  };
}

/** Sum of squared errors of a fit on the rows of `moments`, without reading the rows again. */
function squaredError(moments: Moments, coefficients: Float64Array): number {
  const { size, products, withOutcome, outcomeSquares } = moments;
  let sum = outcomeSquares[0] ?? 0;
  for (let i = 0; i < size; i++) {
    const left = coefficients[i] as number;
    sum -= 2 * left * (withOutcome[i] as number);
    for (let j = 0; j <= i; j++)
      sum += (i === j ? 1 : 2) * left * (coefficients[j] as number) * (products[i * size + j] as number);
  }
  return sum;
}

/** Coefficients on the raw features, the penalty being laid on standardised ones. */
function solveRidge(moments: Moments, penalty: number): Float64Array {
  const { size, products, withOutcome } = moments;
  const count = size - 1;
  const rows = products[size * size - 1] ?? 0;
  const coefficients = new Float64Array(size);
  if (rows === 0) return coefficients;
  const mean = (index: number): number => (products[count * size + index] as number) / rows;
  const scales = Float64Array.from({ length: count }, (_, i) => {
    const variance = (products[i * size + i] as number) / rows - mean(i) ** 2;
    return variance > 1e-12 ? Math.sqrt(variance) : 0;
  });
  const outcomeMean = (withOutcome[count] as number) / rows;
  const matrix = new Float64Array(count * count);
  const right = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const scale = scales[i] as number;
    for (let j = 0; j <= i; j++) {
      const both = scale * (scales[j] as number);
      matrix[i * count + j] = both === 0 ? 0 : ((products[i * size + j] as number) - rows * mean(i) * mean(j)) / both;
    }
    matrix[i * count + i] = (matrix[i * count + i] as number) + penalty;
    right[i] = scale === 0 ? 0 : ((withOutcome[i] as number) - rows * mean(i) * outcomeMean) / scale;
  }
  solveCholesky(matrix, right, count);
  let intercept = outcomeMean;
  for (let i = 0; i < count; i++) {
    const slope = (scales[i] as number) === 0 ? 0 : (right[i] as number) / (scales[i] as number);
    coefficients[i] = slope;
    intercept -= slope * mean(i);
  }
  coefficients[count] = intercept;
  return coefficients;
}

/** Solves `matrix · x = right` for a positive definite matrix (lower triangle given); both are overwritten, x in `right`. */
function solveCholesky(matrix: Float64Array, right: Float64Array, size: number): void {
  const at = (row: number, column: number): number => matrix[row * size + column] as number;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(i, j);
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k);
      matrix[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / at(j, j);
    }
  }
  for (let i = 0; i < size; i++) {
    let sum = right[i] as number;
    for (let k = 0; k < i; k++) sum -= at(i, k) * (right[k] as number);
    right[i] = sum / at(i, i);
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = right[i] as number;
    for (let k = i + 1; k < size; k++) sum -= at(k, i) * (right[k] as number);
    right[i] = sum / at(i, i);
  }
}
