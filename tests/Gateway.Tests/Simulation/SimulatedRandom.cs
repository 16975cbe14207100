using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exchange.Tests.Simulation;

/// <summary>Everything that a simulation leaves to chance, from its seed: xoshiro256** (Blackman and Vigna), the same on every machine and with every version of .NET.</summary>
sealed class SimulatedRandom
{
    readonly ulong[] state = new ulong[4];

    public SimulatedRandom(ulong seed)
    {
        // splitmix64, as its authors advise
        for (var i = 0; i < 4; i++)
        {
            seed += 0x9e3779b97f4a7c15;
            var z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            state[i] = z ^ (z >> 31);
        }
    }

    /// <summary>A stream of its own, so that one part of a simulation that draws more or less does not move all others.</summary>
    public SimulatedRandom Branch() => new(Next());

    public ulong Next()
    {
        var result = ulong.RotateLeft(state[1] * 5, 7) * 9;
        var t = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= t;
        state[3] = ulong.RotateLeft(state[3], 45);
        return result;
    }

    /// <summary>0 until count, exclusive.</summary>
    public int Below(int count) => (int)(Next() % (ulong)count);

    /// <summary>0 until 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double p) => Unit() < p;

    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + (most - least) * Unit();

    /// <summary>Exponentially distributed, as times between things that have nothing to do with each other.</summary>
    public TimeSpan Around(TimeSpan mean) => mean * Math.Min(20, -Math.Log(1 - Unit()));

    public void Fill(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i += 8)
        {
            var word = Next();
            for (var j = i; j < Math.Min(i + 8, bytes.Length); j++, word >>= 8) bytes[j] = (byte)word;
        }
    }

    /// <summary>RFC 9562 UUIDv7.</summary>
    public Guid NewId(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        Fill(bytes);
        var time = now.ToUnixTimeMilliseconds();
        for (var i = 0; i < 6; i++) bytes[i] = (byte)(time >> (40 - 8 * i));
        (bytes[6], bytes[8]) = ((byte)(0x70 | (bytes[6] & 0x0f)), (byte)(0x80 | (bytes[8] & 0x3f)));
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>
/// The random numbers of OpenSSL, from which .NET draws keys, salts and the nonces of ECDSA: on one thread they come from a seed, on all others they stay what they are. The product has no such
/// switch; OpenSSL has one (RAND_set_rand_method), and only this test program turns it.
/// </summary>
static unsafe class SeededOpenSsl
{
    [ThreadStatic] static SimulatedRandom? source;
    static readonly Method* original = RAND_OpenSSL();
    static readonly Method* seeded = Install();

    /// <summary>On this thread, until disposed.</summary>
    public static IDisposable Use(SimulatedRandom random)
    {
        if (seeded is null) throw new InvalidOperationException();
        var before = source;
        source = random;
        return new Restore(before);
    }

    sealed class Restore(SimulatedRandom? before) : IDisposable
    {
        public void Dispose() => source = before;
    }

    static Method* Install()
    {
        // Never freed: OpenSSL keeps the pointer for as long as the process lives.
        var method = (Method*)NativeMemory.Alloc((nuint)sizeof(Method));
        *method = *original;
        method->Bytes = &Bytes;
        method->PseudoBytes = &Bytes;
        return RAND_set_rand_method(method) == 1 ? method : throw new InvalidOperationException("OpenSSL keeps its own random numbers.");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Bytes(byte* buffer, int count)
    {
        if (source is null) return original->Bytes(buffer, count);
        source.Fill(new Span<byte>(buffer, count));
        return 1;
    }

    /// <summary>struct rand_meth_st of openssl/rand.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct Method
    {
        public void* Seed;
        public delegate* unmanaged[Cdecl]<byte*, int, int> Bytes;
        public void* Cleanup;
        public void* Add;
        public delegate* unmanaged[Cdecl]<byte*, int, int> PseudoBytes;
        public void* Status;
    }

    [DllImport("libcrypto.so.3")]
    static extern Method* RAND_OpenSSL();

    [DllImport("libcrypto.so.3")]
    static extern int RAND_set_rand_method(Method* method);
}
