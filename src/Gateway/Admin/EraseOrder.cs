using System.Text.Json;
using Exchange.Crypto.Statements;

namespace Exchange.Gateway.Admin;

/// <summary>What two administrators are asked to sign: which dispatches are to be erased, and on what basis. Nothing is done before they have.</summary>
/// <param name="Act">"erase".</param>
/// <param name="Code">Basis, in a code.</param>
sealed record EraseOrder(int V, string Act, OperatedDispatch[] Dispatches, string Code)
{
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, AdminJson.Default.EraseOrder);
}
