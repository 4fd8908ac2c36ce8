/** SplitMix64, so that a seed says the same on every machine. */
export class Random {
  constructor(seed) {
    this.state = BigInt(seed);
  }

  next() {
    this.state = BigInt.asUintN(64, this.state + 0x9e3779b97f4a7c15n);
    let z = this.state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  }

  below(limit) {
    return Number(this.next() % BigInt(limit));
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}
