using System.Globalization;

namespace Exchange.Crypto.Policy;

/// <summary>
/// Whether a mark can be read and told apart: contrast by WCAG 2.2 (relative luminance, 1.4.3), difference as distance in CIE 1976 L*a*b* under D65.
/// </summary>
static class Colour
{
    /// <summary>Against white, 1 to 21.</summary>
    public static double ContrastWithWhite(string colour)
    {
        var (r, g, b) = Linear(colour);
        return 1.05 / ((0.2126 * r) + (0.7152 * g) + (0.0722 * b) + 0.05);
    }

    /// <summary>About 2 is just seen side by side; marks are never seen side by side.</summary>
    public static double Difference(string left, string right)
    {
        var (a, b) = (Lab(left), Lab(right));
        return Math.Sqrt(Math.Pow(a.L - b.L, 2) + Math.Pow(a.A - b.A, 2) + Math.Pow(a.B - b.B, 2));
    }

    static (double R, double G, double B) Linear(string colour)
    {
        double Channel(int at) => int.Parse(colour.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0 is var c && c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
        return (Channel(1), Channel(3), Channel(5));
    }

    static (double L, double A, double B) Lab(string colour)
    {
        var (r, g, b) = Linear(colour);
        var (x, y, z) = (F(((0.4124 * r) + (0.3576 * g) + (0.1805 * b)) / 0.95047), F((0.2126 * r) + (0.7152 * g) + (0.0722 * b)), F(((0.0193 * r) + (0.1192 * g) + (0.9505 * b)) / 1.08883));
        return ((116 * y) - 16, 500 * (x - y), 200 * (y - z));
        static double F(double t) => t > 216.0 / 24389 ? Math.Cbrt(t) : ((24389.0 / 27 * t) + 16) / 116;
    }
}
