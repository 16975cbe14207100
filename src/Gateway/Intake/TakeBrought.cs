using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Mailbox;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Intake;

/// <summary>
/// Whatever an intake brings, taken in as what its signature says it is. Nobody is signed in here and names mean nothing: an envelope is its header's sender's, a receipt is its office's, and what neither holds is put aside
/// unanswered. Bringing the same again changes nothing.
/// </summary>
sealed class TakeBrought(TakeEnvelope envelopes, TakeReport reports, AcknowledgeParcel acknowledge, Shared shared)
{
    static readonly IntakeAnswer Aside = new(IntakeVerdict.Quarantine), Later = new(IntakeVerdict.Later), Taken = new(IntakeVerdict.Taken);
    readonly ILogger log = shared.Log<TakeBrought>();

    /// <param name="channel">The intake's name.</param>
    public async Task<IntakeAnswer> Take(string channel, Brought brought, CancellationToken cancel)
    {
        IntakeAnswer answer;
        try
        {
            answer = brought.Kind switch
            {
                BroughtKind.Envelope => await envelopes.Take(channel, brought.Content, cancel),
                BroughtKind.Receipt => await Receipt(brought, cancel),
                _ => await reports.Take(channel, brought.Report!),
            };
        }
        catch (RefusedException e) when (e.Refusal == Refusal.Busy || e.Refusal == Refusal.Full) { answer = Later; }
        catch (LaterException) { answer = Later; }
        catch (RefusedException e)
        {
            log.BroughtWasRefused(channel, brought.Kind, e.Refusal.Code);
            answer = Aside;
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            // Its own round goes on; after the third time it is put aside.
            log.TakingFailed(e, channel, brought.Kind);
            throw;
        }
        shared.Meters.Brought.Add(1, new("channel", channel), new("kind", brought.Kind.ToString()), new("verdict", answer.Verdict.ToString()));
        return answer;
    }

    // The office's signature is the authority, and whose copy it is about, it says itself: AcknowledgeParcel checks both.
    async Task<IntakeAnswer> Receipt(Brought brought, CancellationToken cancel)
    {
        if (brought.Content.Length > OfficeReceipts.MaxBytes) return Aside;
        var der = new byte[brought.Content.Length];
        await brought.Content.ReadExactlyAsync(der, cancel);
        var receipt = Statement.Read(der, StatementType.Receipt).As<Receipt>();
        if (receipt.Office is not { } office || Copy(receipt.Sender, receipt.Envelope, office) is not { } parcel) return Aside;
        await acknowledge.Acknowledge(office, parcel, der);
        return Taken;
    }

    Guid? Copy(string sender, Guid envelope, string office)
    {
        using var reader = shared.Engine.Reader();
        return DispatchTable.Find(reader, sender, envelope) is { } dispatch ? ParcelTable.OfDispatch(reader, sender, dispatch.Id).FirstOrDefault(p => p.Office == office)?.Id : null;
    }
}
