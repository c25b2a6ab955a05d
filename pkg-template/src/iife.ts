// The script tag: the class as the global Potoroo.
import Potoroo from './index';

(globalThis as typeof globalThis & { Potoroo?: typeof Potoroo }).Potoroo = Potoroo;
